import {
  Global,
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type DynamicModule,
  type InjectionToken,
  type ModuleMetadata,
  type OnApplicationBootstrap,
  type OptionalFactoryDependency,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { checkOptions, checks, checkValue, type Checks } from './polymongo.checks.js';
import { getPolyMongoToken } from './polymongo.parts.js';
import { ROOT_CHECK } from './polymongo.tokens.js';
import { PolyMongoWrapper } from './polymongo.wrapper.js';
import { MigrationExceptionFilter } from './providers/migrations/migration.exception-filter.js';
import { CLASSES_CHECK, type MigrationsOptions } from './providers/migrations/migration.options.js';
import type { MigrationInstance } from './providers/migrations/migration.types.js';
import { PolyMongoMigrations } from './providers/migrations/polymongo-migrations.provider.js';

/** Options of {@link PolyMongoMigrationsModule}. */
export interface MigrationsModuleOptions extends MigrationsOptions, Pick<ModuleMetadata, 'imports'> {
  /** The name of the root whose tenants they are of, where that has one. */
  root?: string;
}

/** The same, of which a factory makes those that are not about modules and classes. */
export interface MigrationsModuleAsyncOptions extends Pick<MigrationsModuleOptions, 'imports' | 'classes' | 'root'> {
  /** What `useFactory` is given, in this order. */
  inject?: (InjectionToken | OptionalFactoryDependency)[];
  /** Makes the options, but for `classes`, which Nest has to know before. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- Nest's factories take whatever `inject` names
  useFactory: (...args: any[]) => Omit<MigrationsOptions, 'classes'> | Promise<Omit<MigrationsOptions, 'classes'>>;
}

const ASYNC_CHECKS: Checks<MigrationsModuleAsyncOptions> = {
  imports: checks.array,
  root: ROOT_CHECK,
  classes: CLASSES_CHECK,
  inject: checks.array,
  useFactory: checks.function,
};

/** What is no object stays as it is, to be refused. */
const withClasses = (given: MigrationsOptions, classes: MigrationsOptions['classes']): MigrationsOptions =>
  checks.object.accepts(given) ? { ...given, classes } : given;

const OPTIONS = Symbol.for('nestjs-polymongo:MIGRATIONS_OPTIONS');
/** Of the root that a module is of, whatever its name. */
const OWN_WRAPPER = Symbol('polymongo.migrations.wrapper');
const OWN_MIGRATIONS = Symbol('polymongo.migrations');

/**
 * Migrations of every tenant's database, beside `PolyMongoModule.forRoot`.
 *
 * @example
 * @Module({ imports: [PolyMongoModule.forRoot({ mongoURI }), PolyMongoMigrationsModule.forRoot({ directory: 'dist/migrations' })] })
 */
@Global()
@Module({})
export class PolyMongoMigrationsModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  /** @internal Made by Nest. */
  constructor(
    @Inject(OWN_MIGRATIONS) private readonly migrations: PolyMongoMigrations,
    @Inject(OWN_WRAPPER) private readonly wrapper: PolyMongoWrapper,
  ) {}

  /**
   * Registers the migrations, once per root, beside its `PolyMongoModule.forRoot`.
   * @throws PolyMongoOptionsError, MigrationDefinitionError when the application starts
   */
  static forRoot(input: MigrationsModuleOptions): DynamicModule {
    checkValue('options of the migrations', input, checks.object);
    const { imports, classes, root, ...options } = input;
    return PolyMongoMigrationsModule.forRootAsync({ imports, classes, root, useFactory: () => options });
  }

  /** As {@link forRoot}, with options that a factory makes. @throws PolyMongoOptionsError at once, for what is given here */
  static forRootAsync(options: MigrationsModuleAsyncOptions): DynamicModule {
    checkOptions('migrations.', options, ASYNC_CHECKS, ['useFactory']);
    const { imports = [], classes = [], inject = [], root, useFactory } = options;
    const wrapper = getPolyMongoToken(PolyMongoWrapper, root);
    const migrations = getPolyMongoToken(PolyMongoMigrations, root);
    return {
      module: PolyMongoMigrationsModule,
      imports,
      providers: [
        ...classes,
        { provide: OPTIONS, inject, useFactory },
        {
          provide: migrations,
          inject: [wrapper, OPTIONS, ...classes],
          useFactory: (owner: PolyMongoWrapper, given: MigrationsOptions, ...instances: MigrationInstance[]) =>
            owner.useMigrations(withClasses(given, classes), (type) => instances[classes.indexOf(type)]!),
        },
        { provide: OWN_WRAPPER, useExisting: wrapper },
        { provide: OWN_MIGRATIONS, useExisting: migrations },
        { provide: APP_FILTER, useClass: MigrationExceptionFilter },
      ],
      exports: [migrations],
    };
  }

  /** For Nest, before the application listens: with `runs: 'at-start'` all tenants are migrated. Hooks are registered by now. @throws TenantTaskError unless `onError` is `collect` */
  async onApplicationBootstrap(): Promise<void> {
    const { runs, concurrency, onError } = this.migrations.options;
    if (runs !== 'at-start') return;
    try {
      for await (const result of this.migrations.up({ concurrency, onError })) {
        if (result.ok) continue;
        const { tenantId, error } = result;
        this.wrapper.pools.events.emit('error', { db: tenantId, error, during: 'migration at the start' });
      }
    } catch (error) {
      await this.wrapper.pools.forceCloseAll(); // Nest ends nothing of an application that did not start
      throw error;
    }
  }

  /** For Nest: what runs is told by its signal, and no further migration begins. */
  beforeApplicationShutdown(): void {
    this.migrations.stop();
  }
}
