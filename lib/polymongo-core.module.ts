import {
  Global,
  Inject,
  Module,
  Scope,
  type BeforeApplicationShutdown,
  type DynamicModule,
  type InjectionToken,
  type NestModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
  type Provider,
  type Type,
} from '@nestjs/common';
import {
  ApplicationConfig,
  DiscoveryModule,
  DiscoveryService,
  ExternalContextCreator,
  HttpAdapterHost,
  LazyModuleLoader,
  MetadataScanner,
  ModuleRef,
  ModulesContainer,
} from '@nestjs/core';
import type { PolyMongoModuleAsyncOptions, PolyMongoOptionsFactory } from './polymongo.module-options.js';
import { checkOptions, checks, type Checks } from './polymongo.checks.js';
import { DuplicateRootError, PolyMongoOptionsError } from './polymongo.errors.js';
import type { PolyMongoOptions } from './polymongo.options.js';
import type { TenantResolverProvider } from './polymongo.tenant-options.js';
import { MONGOOSE_OPTIONS } from './polymongo.mongoose-options.js';
import { getPolyMongoToken, type PolyMongoPart } from './polymongo.parts.js';
import { MONGOOSE_TOKENS, injectedConnections, POLYMONGO_OPTIONS, ROOT_CHECK, TENANT_ID } from './polymongo.tokens.js';
import { PolyMongoWrapper } from './polymongo.wrapper.js';
import { PolyMongoBulk } from './providers/bulk/polymongo-bulk.provider.js';
import { PolyMongoHealth } from './providers/health/polymongo-health.provider.js';
import { HookExplorer } from './providers/hooks/hook.explorer.js';
import { PolyMongoHooks } from './providers/hooks/polymongo-hooks.provider.js';
import { PolyMongoPools } from './providers/pools/polymongo-pools.provider.js';
import { PolyMongoStats } from './providers/stats/polymongo-stats.provider.js';
import { TenantContext } from './providers/tenant/tenant.context.js';
import { PolyMongoTenants } from './providers/tenant/polymongo-tenants.provider.js';
import { standAround } from './providers/tenant/nest.pipeline.js';
import { TenantEntry } from './providers/tenant/tenant.entry.js';
import { TenantJobs } from './providers/tenant/tenant.jobs.js';
import { TenantMessages } from './providers/tenant/tenant.messages.js';
import { enterWithEachRequest } from './providers/tenant/tenant.http.js';
import { joinApplication } from './providers/tenant/tenant.roots.js';
import { TenantStages } from './providers/tenant/tenant.stages.js';
import { OnChangeExplorer } from './providers/watch/on-change.explorer.js';
import { PolyMongoWatch } from './providers/watch/polymongo-watch.provider.js';
import { PolyMongoTransactions } from './providers/transaction/polymongo-transactions.provider.js';

type PartOf = (part: PolyMongoPart | symbol) => InjectionToken;

/** The injectable parts, each a view of the one wrapper. */
function views(token: PartOf): Provider[] {
  const view = <T>(part: PolyMongoPart<T>, of: (wrapper: PolyMongoWrapper) => T): Provider => ({
    provide: token(part),
    inject: [token(PolyMongoWrapper)],
    useFactory: of,
  });
  return [
    view(PolyMongoPools, (wrapper) => wrapper.pools),
    view(PolyMongoHooks, (wrapper) => wrapper.hooks),
    view(PolyMongoHealth, (wrapper) => wrapper.health),
    view(PolyMongoStats, (wrapper) => wrapper.stats),
    view(PolyMongoWatch, (wrapper) => wrapper.watch),
    view(PolyMongoTransactions, (wrapper) => wrapper.transactions),
    view(PolyMongoBulk, (wrapper) => wrapper.bulkTasks),
    view(TenantContext, (wrapper) => wrapper.tenantContext),
    view(PolyMongoTenants, (wrapper) => wrapper.tenants),
    view(TenantJobs, (wrapper) => new TenantJobs(wrapper.tenants, wrapper.tenantContext)),
    view(TenantMessages, (wrapper) => new TenantMessages(wrapper.tenantContext)),
    view(TenantEntry, (wrapper) => wrapper.tenantEntry),
    {
      provide: token(TENANT_ID),
      scope: Scope.REQUEST,
      durable: true, // with a strategy applied; without one, one for each request
      inject: [token(TenantContext)],
      useFactory: (context: TenantContext) => context.require(),
    },
  ];
}

/** What finds decorated methods of one root. Only its core module has them. */
function explorers(token: PartOf, root: string | undefined): Provider[] {
  return [
    {
      provide: HookExplorer,
      inject: [DiscoveryService, MetadataScanner, ModulesContainer, token(PolyMongoHooks)],
      useFactory: (
        discovery: DiscoveryService,
        scanner: MetadataScanner,
        all: ModulesContainer,
        hooks: PolyMongoHooks,
      ) => new HookExplorer(discovery, scanner, all, hooks, root),
    },
    {
      provide: OnChangeExplorer,
      inject: [DiscoveryService, MetadataScanner, token(PolyMongoWatch), token(PolyMongoPools), LazyModuleLoader],
      useFactory: (
        discovery: DiscoveryService,
        scanner: MetadataScanner,
        watch: PolyMongoWatch,
        pools: PolyMongoPools,
        lazyModules: LazyModuleLoader,
      ) => new OnChangeExplorer(discovery, scanner, watch, pools, lazyModules, root),
    },
  ];
}

/** The wrapper of the root that a core module is of, whatever its name. */
const OWN_WRAPPER = Symbol('polymongo.core.wrapper');

const ASYNC_CHECKS: Checks<PolyMongoModuleAsyncOptions> = {
  name: ROOT_CHECK,
  imports: checks.array,
  inject: checks.array,
  useFactory: checks.function,
  useClass: checks.function,
  useExisting: {
    allowed: 'the token of a provider',
    accepts: (v) => ['string', 'symbol', 'function'].includes(typeof v) || checks.object.accepts(v),
  },
  tenant: checks.object,
  mongooseTokens: checks.boolean,
};

/** Owns the one wrapper of a root: makes it, connects it when the application starts, closes it when it ends. */
@Global()
@Module({})
export class PolyMongoCoreModule
  implements NestModule, OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  private readonly leaveStages: () => void;

  constructor(
    @Inject(OWN_WRAPPER) private readonly wrapper: PolyMongoWrapper,
    @Inject(HookExplorer) private readonly hookExplorer: HookExplorer,
    @Inject(OnChangeExplorer) private readonly onChangeExplorer: OnChangeExplorer,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
    @Inject(ExternalContextCreator) creator: ExternalContextCreator,
    @Inject(ApplicationConfig) config: ApplicationConfig,
    @Inject(ModulesContainer) modules: ModulesContainer,
  ) {
    this.leaveStages = standAround({ creator, config, modules }, new TenantStages(wrapper.tenantEntry));
  }

  static forRootAsync(options: PolyMongoModuleAsyncOptions): DynamicModule {
    checkOptions('forRootAsync.', options, ASYNC_CHECKS, [], MONGOOSE_OPTIONS);
    const { name } = options;
    const token: PartOf = (part) => getPolyMongoToken(part, name);
    const wrapper: Provider = {
      provide: token(PolyMongoWrapper),
      inject: [token(POLYMONGO_OPTIONS), ModulesContainer],
      useFactory: async (given: PolyMongoOptions, modules: ModulesContainer) => {
        assertOneRoot(modules, name);
        const made = new PolyMongoWrapper(withDefaults(given, options), () => {}); // onModuleInit() connects
        joinApplication(modules, made.tenantContext);
        if (made.options.connectionFactory) await made.connection; // its plugins come before the first model
        return made;
      },
    };
    const own = { provide: OWN_WRAPPER, useExisting: token(PolyMongoWrapper) };
    const provided = () => [wrapper, ...views(token), ...connectionProviders(options)];
    return {
      module: PolyMongoCoreModule,
      imports: [DiscoveryModule, ...(options.imports ?? [])],
      // Read when Nest looks at the modules: by then every class that injects a connection has been declared.
      get providers() {
        return [...optionsProviders(options), ...provided(), own, ...explorers(token, name)];
      },
      get exports() {
        return provided().map((provider) => (provider as { provide: symbol }).provide);
      },
    };
  }

  /** Before the routes are made: the tenant comes first, and each request keeps to itself, also without tenants. */
  configure(): void {
    enterWithEachRequest(this.adapterHost.httpAdapter, this.wrapper.tenantEntry);
  }

  /** Hooks are registered before the first connection is made. */
  async onModuleInit(): Promise<void> {
    await this.wrapper.tenantEntry.resolution.construct((type) => this.resolverOf(type));
    this.hookExplorer.explore();
    await this.wrapper.pools.connectEager();
  }

  /** When every provider is ready to handle what comes. */
  onApplicationBootstrap(): void {
    this.onChangeExplorer.start();
  }

  /** Before the HTTP server waits for its responses: an open event stream would hold it for ever. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.wrapper.pools.completeStreams();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.wrapper.pools.closeAll();
    this.leaveStages();
  }

  private async resolverOf(type: Type<TenantResolverProvider>): Promise<TenantResolverProvider> {
    try {
      return this.moduleRef.get(type, { strict: false });
    } catch {
      return this.moduleRef.create(type); // no provider: made here, with what this module sees
    }
  }
}

/** The modules are all there before the first provider is made; a lazily loaded one is there when its own are. */
function assertOneRoot(modules: ModulesContainer, name: string | undefined): void {
  const token = getPolyMongoToken(POLYMONGO_OPTIONS, name);
  const roots = [...modules.values()].filter(({ providers }) => providers.has(token));
  if (roots.length > 1) throw new DuplicateRootError(roots.length, name);
}

/** What stands beside the factory, and what is otherwise in an application: Nest handles signals. */
function withDefaults(
  given: PolyMongoOptions,
  { name, tenant, mongooseTokens }: PolyMongoModuleAsyncOptions,
): PolyMongoOptions {
  if (typeof given !== 'object' || given === null) return given;
  const options = { ...given, ...(name !== undefined && { name }), handleSignals: given.handleSignals ?? false };
  if (mongooseTokens) options.coldStart ??= false; // who injects a connection takes it for connected
  return tenant ? { ...options, tenant: { ...tenant, ...given.tenant } } : options;
}

/** mongoose's connections to the default database and to those that somebody names in `@InjectPolyConnection`. */
function connectionProviders({ name, mongooseTokens }: PolyMongoModuleAsyncOptions): Provider[] {
  const wrapper = getPolyMongoToken(PolyMongoWrapper, name);
  const connect = (provide: symbol, dbName?: string): Provider => ({
    provide,
    inject: [wrapper],
    useFactory: ({ pools }: PolyMongoWrapper) => pools.connectionOf(dbName ?? pools.options.defaultDB),
  });
  const ofMongoose: Provider = {
    provide: MONGOOSE_TOKENS.connection(name),
    inject: [wrapper],
    useFactory: ({ connection }: PolyMongoWrapper) => connection,
  };
  const injected = [...injectedConnections].filter(([, { root }]) => root === name);
  return [...injected.map(([token, { dbName }]) => connect(token, dbName)), ...(mongooseTokens ? [ofMongoose] : [])];
}

function optionsProviders(options: PolyMongoModuleAsyncOptions): Provider[] {
  const { name, useFactory, useClass, useExisting, inject = [] } = options;
  const provide = getPolyMongoToken(POLYMONGO_OPTIONS, name);
  if (useFactory) return [{ provide, useFactory, inject }];
  const factory = useExisting ?? useClass;
  if (!factory) {
    throw new PolyMongoOptionsError(
      'useFactory',
      'PolyMongoModule.forRootAsync() needs one of useFactory, useClass or useExisting.',
    );
  }
  const fromFactory: Provider = {
    provide,
    inject: [factory],
    useFactory: (instance: PolyMongoOptionsFactory) => instance.createPolyMongoOptions(),
  };
  return useClass ? [fromFactory, { provide: useClass, useClass }] : [fromFactory];
}
