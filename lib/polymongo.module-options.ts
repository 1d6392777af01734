import type { InjectionToken, ModuleMetadata, OptionalFactoryDependency, Type } from '@nestjs/common';
import type { PolyMongoOptions } from './polymongo.options.js';
import type { TenantOptions } from './polymongo.tenant-options.js';
import type { ModelDefinition } from './providers/models/model.registry.js';

/** A class that makes the options, for `useClass` and `useExisting`. */
export interface PolyMongoOptionsFactory {
  /** Called once, when the application starts. */
  createPolyMongoOptions(): PolyMongoOptions | Promise<PolyMongoOptions>;
}

/** How `forRootAsync` comes by the options: one of `useFactory`, `useClass` and `useExisting`. */
export interface PolyMongoModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
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
  extends Pick<ModuleMetadata, 'imports'>, Pick<ModelDefinition, 'name' | 'collection' | 'discriminators'> {
  /** What `useFactory` is given, in this order. */
  inject?: (InjectionToken | OptionalFactoryDependency)[];
  /** Makes the schema, once, before the model is made. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
  useFactory: (...args: any[]) => ModelDefinition['schema'] | Promise<ModelDefinition['schema']>;
}
