import {
  Controller,
  Injectable,
  Module,
  Post,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import type { INestApplicationContext } from '@nestjs/common';
import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import {
  fromClaim,
  fromHeader,
  getPolyMongoToken,
  InjectPolyMongo,
  InjectTenantModel,
  OnDbError,
  PolyMongoModule,
  PolyMongoTenants,
  TenantGuard,
  Transactional,
  WithTenant,
  type TenantModel,
  type TenantRequest,
} from 'nestjs-polymongo';

@Schema()
class Order {
  @Prop({ required: true })
  item!: string;
}
const OrderSchema = SchemaFactory.createForClass(Order);

@Schema()
class Entry {
  @Prop({ required: true })
  text!: string;
}
const EntrySchema = SchemaFactory.createForClass(Entry);

/** Stands for the guard that verifies a token. */
class AuthGuard implements CanActivate {
  canActivate(execution: ExecutionContext) {
    const request = execution.switchToHttp().getRequest<TenantRequest>();
    request.user = { org: request.headers['authorization'] };
    return true;
  }
}

// #region use
@Injectable()
class Orders {
  constructor(
    @InjectTenantModel(Order.name) private readonly orders: TenantModel<Order>,
    @InjectTenantModel(Entry.name, 'audit') private readonly entries: TenantModel<Entry>,
  ) {}

  @Transactional() // of the root without a name; Transactional({ root: 'audit' }) is one of audit
  async make(item: string) {
    const { id } = await this.orders.create({ item });
    await this.entries.create({ text: `ordered ${item}` }); // stays, also if the order does not
    return id;
  }
}

@Controller('orders')
class OrdersController {
  constructor(private readonly orders: Orders) {}

  @Post() // the shop is in a header, whom to tell is in the token: a tenant of each root
  @UseGuards(AuthGuard, TenantGuard.of('audit'))
  async make() {
    return this.orders.make('tea');
  }
}
// #endregion

export const modules = (mongoURI: string, auditURI: string, prefix: string) => {
  // #region roots
  @Module({
    imports: [
      PolyMongoModule.forRoot({ mongoURI, tenant: { resolve: fromHeader('x-shop') } }),
      PolyMongoModule.forRoot({
        name: 'audit',
        mongoURI: auditURI,
        defaultDB: 'audit',
        tenant: { resolve: fromClaim('org'), database: (tenantId) => `${prefix}_${tenantId}` },
      }),
      PolyMongoModule.forFeature([{ name: Order.name, schema: OrderSchema }]),
      PolyMongoModule.forFeature([{ name: Entry.name, schema: EntrySchema }], 'audit'),
    ],
    controllers: [OrdersController],
    providers: [Orders, Retention],
  })
  class AppModule {}
  // #endregion
  return AppModule;
};

// #region more
@Injectable()
export class Retention {
  readonly failures: string[] = [];

  constructor(
    @InjectPolyMongo(PolyMongoTenants, 'audit') private readonly tenants: PolyMongoTenants,
    @InjectTenantModel(Entry.name, 'audit') private readonly entries: TenantModel<Entry>,
  ) {}

  @WithTenant((org: string) => org, 'audit')
  count(_org: string) {
    return this.entries.countDocuments();
  }

  countAll() {
    return this.tenants.forEach(() => this.entries.countDocuments());
  }

  @OnDbError({ root: 'audit' }) // with names of databases before it: of those alone
  failed(error: Error) {
    this.failures.push(error.message);
  }
}
// #endregion

export function partsOf(app: INestApplicationContext) {
  // #region tokens
  const tenants = app.get<PolyMongoTenants>(getPolyMongoToken(PolyMongoTenants, 'audit'));
  // #endregion
  return tenants;
}
