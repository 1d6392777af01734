import type { DiscoveryService, LazyModuleLoader, MetadataScanner } from '@nestjs/core';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { asNobody } from '../sessions/subscriber.context.js';
import { ON_CHANGE_METADATA, type OnChangeOptions } from './on-change.metadata.js';
import type { PolyMongoWatch } from './polymongo-watch.provider.js';

type Handlers = Record<string, (change: unknown) => unknown>;

/** Finds provider methods decorated with `@OnChange` for one root, and runs a stream for each mark. */
export class OnChangeExplorer {
  readonly #started = new WeakSet<object>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly watch: PolyMongoWatch,
    private readonly pools: PolyMongoPools,
    private readonly lazyModules: LazyModuleLoader,
    private readonly root: string | undefined,
  ) {}

  /**
   * Starts what has not been started, in nobody's context; request-scoped providers have no instance to call and are left
   * out. The streams open in the background: the application does not wait for its databases.
   * @throws PolyMongoOptionsError, ModelNotRegisteredError
   */
  start(): void {
    asNobody(() => this.#startWhatIsThere());
    this.#followLazyModules();
  }

  /** Nest calls nobody when it has loaded a module lazily. What is being loaded beside it has no instances yet. */
  #followLazyModules(): void {
    const { lazyModules } = this;
    const load = lazyModules.load.bind(lazyModules);
    let loading = 0;
    lazyModules.load = async (...args) => {
      loading++;
      const module = await load(...args).finally(() => loading--);
      if (loading === 0) asNobody(() => this.#startWhatIsThere());
      return module;
    };
  }

  #startWhatIsThere(): void {
    for (const wrapper of [...this.discovery.getProviders(), ...this.discovery.getControllers()]) {
      const instance = wrapper.instance as unknown;
      if (!wrapper.isDependencyTreeStatic() || typeof instance !== 'object' || instance === null) continue;
      const prototype = Object.getPrototypeOf(instance) as object | null;
      if (!prototype || this.#started.has(instance)) continue;
      this.#started.add(instance);
      for (const name of this.scanner.getAllMethodNames(prototype)) {
        const method = (instance as Handlers)[name];
        if (typeof method !== 'function') continue;
        const marks = (Reflect.getMetadata(ON_CHANGE_METADATA, method) ?? []) as OnChangeOptions[];
        marks.forEach(({ root, ...options }, i) => {
          if (root !== this.root) return;
          this.#run(method.bind(instance), `${instance.constructor.name}.${name}${i > 0 ? `#${i + 1}` : ''}`, options);
        });
      }
    }
  }

  #run(handler: (change: unknown) => unknown, name: string, options: OnChangeOptions): void {
    this.watch.handle$({ tokenKey: name, ...options, process: handler }).subscribe({
      error: (error: unknown) =>
        this.pools.events.emit('error', {
          db: options.db ?? this.pools.options.defaultDB,
          error,
          during: `@OnChange ${name}, which has stopped`,
        }),
    });
  }
}
