// Takes the place of lib/mongoose.module.ts in a checkout of @nestjs/mongoose: its own applications, decorators and
// tokens, through PolyMongoModule with one database, which is the one that the URI names.
import { getPolyModelToken, PolyMongoModule, PolyMongoPools } from 'nestjs-polymongo';
import { getConnectionToken, getModelToken } from '@nestjs/mongoose';

export class MongooseModule {
  static forRoot(uri, options = {}) {
    const pools = PolyMongoModule.forRoot(optionsFrom(uri, options));
    const connection = {
      provide: getConnectionToken(),
      inject: [PolyMongoPools],
      useFactory: (pools) => pools.connectionOf(pools.options.defaultDB),
    };
    return { module: MongooseModule, global: true, imports: [pools], providers: [connection], exports: [connection] };
  }

  static forFeature(models) {
    return feature(PolyMongoModule.forFeature(models), models);
  }

  static forFeatureAsync(factories) {
    return feature(PolyMongoModule.forFeatureAsync(factories), factories);
  }
}

/** Each name of @nestjs/mongoose is another one for PolyMongo's. */
function feature(polymongo, definitions) {
  const names = definitions.flatMap(({ name, discriminators = [] }) => [name, ...discriminators.map((d) => d.name)]);
  const providers = names.map((name) => ({
    provide: getModelToken(name),
    useExisting: getPolyModelToken(name),
  }));
  return { module: MongooseModule, imports: [polymongo], providers, exports: providers };
}

/** The server is that of the run, whatever address the tests name. */
const optionsFrom = (uri, { lazyConnection = false, ...driverOptions }) => ({
  mongoURI: process.env.MONGODB_URI,
  defaultDB: new URL(uri.replace('mongodb:', 'http:')).pathname.slice(1),
  coldStart: lazyConnection,
  driverOptions,
});
