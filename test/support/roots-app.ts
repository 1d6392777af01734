import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Post,
  Scope,
  UseGuards,
  type CanActivate,
  type DynamicModule,
  type ExecutionContext,
  type INestApplication,
  type MiddlewareConsumer,
  type NestModule,
} from '@nestjs/common';
import type { Connection } from 'mongoose';
import {
  fromClaim,
  fromHeader,
  InjectPolyConnection,
  InjectPolyMongo,
  InjectPolyModel,
  InjectTenantModel,
  PolyMongoModule,
  PolyMongoTenants,
  TENANT_ID,
  TenantContext,
  TenantGuard,
  Transactional,
  WithTenant,
  type PolyModel,
  type PolyMongoOptions,
  type TenantModel,
  type TenantRequest,
} from 'nestjs-polymongo';
import type { App } from 'supertest/types.js';
import { uniqueName } from './database-names.js';
import { startHttpApp, type AdapterName } from './http-app.js';
import { Note, NoteSchema } from './notes.js';
import { SharedResource } from './shared-resource.js';

/** The name of the second root. */
export const AUDIT = 'audit';
/** What requests go on in the context of somebody else by. */
export const shared = new SharedResource();

/** Stands for the verification of a token: `Authorization: <tenant>` becomes the user. */
@Injectable()
class Authenticate implements CanActivate {
  canActivate(execution: ExecutionContext) {
    const call = execution.switchToHttp().getRequest<TenantRequest>();
    call.user = { org: call.headers['authorization'] };
    return true;
  }
}

/** Behind `TenantGuard.of('audit')`, which has decided. */
@Injectable()
class NeedsAuditTenant implements CanActivate {
  constructor(@InjectPolyMongo(TenantContext, AUDIT) readonly audit: TenantContext) {}
  canActivate() {
    return this.audit.require() !== '';
  }
}

/** A tenant of each root. */
export interface TenantPair {
  readonly main: string;
  readonly audit: string;
}

/** Notes of both roots: the tenant of each is that of its own root. */
@Injectable()
export class TwoRoots {
  constructor(
    @InjectTenantModel(Note.name) readonly notes: TenantModel<Note>,
    @InjectTenantModel(Note.name, AUDIT) readonly audits: TenantModel<Note>,
    @InjectPolyModel(Note.name) readonly mainNotes: PolyModel<Note>,
    @InjectPolyModel(Note.name, AUDIT) readonly auditNotes: PolyModel<Note>,
    @Inject(TenantContext) readonly main: TenantContext,
    @InjectPolyMongo(TenantContext, AUDIT) readonly audit: TenantContext,
    @Inject(PolyMongoTenants) readonly mainTenants: PolyMongoTenants,
    @InjectPolyMongo(PolyMongoTenants, AUDIT) readonly auditTenants: PolyMongoTenants,
    @InjectPolyConnection() readonly mainConnection: Connection,
    @InjectPolyConnection(undefined, AUDIT) readonly auditConnection: Connection,
  ) {}

  /** Who is current in each root, and whose documents its models find. */
  async whose() {
    return {
      main: this.main.state,
      audit: this.audit.state,
      notes: (await this.notes.find().lean()).map(({ tenant }) => tenant),
      audits: (await this.audits.find().lean()).map(({ tenant }) => tenant),
    };
  }

  @WithTenant(({ main }: TenantPair) => main)
  @WithTenant(({ audit }: TenantPair) => audit, AUDIT)
  asBoth(_: TenantPair) {
    return this.whose();
  }

  /** An entry that stays, whatever becomes of what it tells of. */
  @Transactional()
  async writeInVain(text: string): Promise<void> {
    await this.mainNotes.create({ tenant: 'none', text });
    await this.auditNotes.create({ tenant: 'none', text });
    throw new Error('as it should');
  }

  @Transactional({ root: AUDIT })
  async auditInVain(text: string): Promise<void> {
    await this.writeBoth(text);
    await this.auditNotes.create({ tenant: 'none', text });
    throw new Error('as it should');
  }

  @Transactional()
  async writeBoth(text: string): Promise<void> {
    await this.mainNotes.create({ tenant: 'none', text });
    await this.auditNotes.create({ tenant: 'none', text });
  }
}

@Controller()
@UseGuards(Authenticate, TenantGuard.of(AUDIT), NeedsAuditTenant)
class RootsController {
  constructor(@Inject(TwoRoots) readonly two: TwoRoots) {}

  @Post('notes')
  async write() {
    await this.two.notes.create({ tenant: this.two.main.require() });
    await this.two.audits.create({ tenant: this.two.audit.require() });
    return this.two.whose();
  }

  @Get('notes')
  async read() {
    return this.two.whose();
  }
}

@Controller('ids')
class IdsController {
  constructor(@Inject(TENANT_ID) readonly main: string) {}
  @Get()
  ids() {
    return { main: this.main };
  }
}

/** Kept for as long as the strategy for durable providers says. */
@Injectable({ scope: Scope.REQUEST, durable: true })
class DurableOfBoth {
  readonly madeAs: string;
  constructor(@Inject(TenantContext) main: TenantContext, @InjectPolyMongo(TenantContext, AUDIT) audit: TenantContext) {
    this.madeAs = `${main.state} ${audit.state}`;
  }
}

@Controller('durable')
class DurableController {
  constructor(@Inject(DurableOfBoth) readonly durable: DurableOfBoth) {}
  @Get()
  read() {
    return this.durable.madeAs;
  }
}

@Module({})
class Detours implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply((_: unknown, __: unknown, next: () => void) => shared.ask(next)).forRoutes('*path');
  }
}

export interface RootsApp {
  readonly app: INestApplication<App>;
  readonly two: TwoRoots;
}

/** The options of a root whose databases no other test uses: those of `audit` find their tenant in a claim. */
export const rootOptions = (mongoURI: string, root: 'main' | typeof AUDIT, prefix: string): PolyMongoOptions => ({
  mongoURI,
  defaultDB: `${prefix}_${root}`,
  shutdownTimeoutMS: 2000,
  tenant: {
    database: (tenantId) => `${prefix}_${root}_${tenantId}`,
    resolve: root === AUDIT ? fromClaim('org') : fromHeader('x-tenant-id'),
  },
});

/** The modules of two roots, both with notes: one without a name, and `audit`. */
export function rootsModules(mongoURI: string, prefix = uniqueName('roots')): DynamicModule[] {
  return [
    PolyMongoModule.forRoot(rootOptions(mongoURI, 'main', prefix)),
    PolyMongoModule.forRootAsync({ name: AUDIT, useFactory: () => rootOptions(mongoURI, AUDIT, prefix) }),
    PolyMongoModule.forFeature([{ name: Note.name, schema: NoteSchema }]),
    PolyMongoModule.forFeatureAsync([{ name: Note.name, useFactory: () => NoteSchema.clone() }], AUDIT),
  ];
}

/** An application of both roots, in which `GET /notes` and `POST /notes` tell whose documents a request finds. */
export async function startRootsApp(mongoURI: string, adapter: AdapterName): Promise<RootsApp> {
  const app = await startHttpApp(
    {
      imports: [...rootsModules(mongoURI), Detours],
      controllers: [RootsController, IdsController, DurableController],
      providers: [TwoRoots, DurableOfBoth],
    },
    adapter,
  );
  return { app, two: app.get(TwoRoots) };
}
