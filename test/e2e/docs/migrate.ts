import type { Schema } from 'mongoose';

declare const CatSchema: Schema;
declare const clusters: { of(tenantId: string): Promise<string> };
class Cat {}

// #region libraries that inject by tokens
import { PolyMongoModule } from 'nestjs-polymongo';

export const forLibraries = (mongoURI: string) => [
  PolyMongoModule.forRoot({ mongoURI, mongooseTokens: true }),
  PolyMongoModule.forFeature([{ name: Cat.name, schema: CatSchema, mongooseToken: 'default' }]),
];
// #endregion

// #region a cluster for each tenant
import { fromHeader } from 'nestjs-polymongo';

export const withClusters = (mongoURI: string) =>
  PolyMongoModule.forRoot({
    mongoURI,
    tenant: {
      resolve: fromHeader('x-tenant-id'),
      database: (tenantId) => `shop-${tenantId}`, // as the databases are called already
      connection: async (tenantId) => ({ mongoURI: await clusters.of(tenantId), options: { autoClose: true } }),
    },
  });
// #endregion
