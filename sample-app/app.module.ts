import { Module, type DynamicModule } from '@nestjs/common';
import { fromHeader, fromSubdomain, PolyMongoModule } from 'nestjs-polymongo';
import { CatalogueModule } from './catalogue/catalogue.module.js';
import { DashboardModule } from './dashboard/dashboard.module.js';
import { OrdersModule } from './orders/orders.module.js';

/** An order desk for several shops: each shop's orders are in a database of its own, the catalogue is shared by all. */
@Module({})
export class AppModule {
  static with(mongoURI: string): DynamicModule {
    return {
      module: AppModule,
      imports: [
        PolyMongoModule.forRootAsync({
          useFactory: () => ({
            mongoURI,
            defaultDB: 'catalogue',
            // The busiest shop has a pool of its own, closed after a minute without an order.
            dbSpecific: [{ dbName: 'shop_bikes', options: { maxConnections: 5, autoClose: true, ttl: 60_000 } }],
          }),
          tenant: {
            resolve: [fromHeader('x-tenant-id'), fromSubdomain()],
            database: (shop) => `shop_${shop}`,
          },
        }),
        CatalogueModule,
        OrdersModule,
        DashboardModule,
      ],
    };
  }
}
