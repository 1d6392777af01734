import { Schema } from 'mongoose';

const CatSchema = new Schema({ name: String });
class Cat {}
/** Where the test has the tenants. */
export const clusters = { of: (_tenantId: string): Promise<string> => Promise.reject(new Error('no cluster yet')) };

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
