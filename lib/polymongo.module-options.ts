import type { InjectionToken, ModuleMetadata, OptionalFactoryDependency, Type } from '@nestjs/common';
import type { PolyMongoOptions } from './polymongo.options.js';
import type { TenantOptions } from './polymongo.tenant-options.js';
import type { ModelDefinition } from './providers/models/model.registry.js';

/** A class that makes the options, for `useClass` and `useExisting`. */
export interface PolyMongoOptionsFactory {
  /** Called once, when the application starts. */
  createPolyMongoOptions(): PolyMongoOptions | Promise<PolyMongoOptions>;
}

/** Options of `forRoot`: those of the wrapper, and what is for Nest alone. */
export interface PolyMongoModuleOptions extends PolyMongoOptions, MongooseTokens {}

/** For libraries and code that inject by @nestjs/mongoose's own tokens. */
export interface MongooseTokens {
  /**
   * `getConnectionToken()` of @nestjs/mongoose (`getConnectionToken(name)` of a named root) is the default database's connection, or what `connectionFactory` gave for it. It
   * connects at start then, unless `coldStart` is true. Default false. Models: `mongooseToken` of a definition.
   */
  mongooseTokens?: boolean;
}

/** A model that is injected by @nestjs/mongoose's own token, too. */
export interface MongooseToken {
  /**
   * What `getModelToken(name)` of @nestjs/mongoose is: the default database's model, or the current tenant's. Default: nothing.
   */
  mongooseToken?: 'default' | 'tenant';
}

/** How `forRootAsync` comes by the options: one of `useFactory`, `useClass` and `useExisting`. */
export interface PolyMongoModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'>, MongooseTokens {
  /** The name of this root, when it is not the only one; as `name` of `forRoot`. */
  name?: string;
  /** What `useFactory` is given, in this order. */
  inject?: (InjectionToken | OptionalFactoryDependency)[];
  /** Makes the options. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- Nest's factories take whatever `inject` names
  useFactory?: (...args: any[]) => PolyMongoOptions | Promise<PolyMongoOptions>;
  /** A class that makes the options; Nest constructs it here. */
  useClass?: Type<PolyMongoOptionsFactory>;
  /** The token of a provider of `imports`, or of a global module, that makes the options. */
  useExisting?: InjectionToken<PolyMongoOptionsFactory>;
  /** The tenant options, where they are not among what the factory returns. */
  tenant?: TenantOptions;
}

/** A model whose schema a factory makes, as @nestjs/mongoose's `forFeatureAsync` takes it. */
export interface AsyncModelDefinition
  extends
    Pick<ModuleMetadata, 'imports'>,
    Pick<ModelDefinition, 'name' | 'collection' | 'discriminators'>,
    MongooseToken {
  /** What `useFactory` is given, in this order. */
  inject?: (InjectionToken | OptionalFactoryDependency)[];
  /** Makes the schema, once, before the model is made. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
  useFactory: (...args: any[]) => ModelDefinition['schema'] | Promise<ModelDefinition['schema']>;
}
