import type { DiscoveryService, MetadataScanner, ModulesContainer } from '@nestjs/core';
import { asNobody } from '../sessions/subscriber.context.js';
import { HOOK_METADATA, type HookMetadata } from './hook.metadata.js';
import type { PolyMongoHooks, Unregister } from './polymongo-hooks.provider.js';

/** Finds provider methods decorated with `@OnDbConnect`, `@OnDbDisconnect` and `@OnDbError` for one root, and registers them. */
export class HookExplorer {
  readonly #explored = new WeakSet<object>();
  /** How many modules there were when all their providers had been explored. */
  #complete = 0;

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly modules: ModulesContainer,
    private readonly hooks: PolyMongoHooks,
    private readonly root: string | undefined,
  ) {
    // Nest tells nobody of a lazily loaded module, so every event looks whether there is one more.
    hooks.beforeHooks(() => this.explore());
  }

  /**
   * Registers what was not registered before, in nobody's context; request-scoped providers have no instance to call and are
   * left out.
   */
  explore(): void {
    if (this.#complete !== this.modules.size) asNobody(() => this.#exploreAll());
  }

  #exploreAll(): void {
    const wrappers = [...this.discovery.getProviders(), ...this.discovery.getControllers()].filter((wrapper) =>
      wrapper.isDependencyTreeStatic(),
    );
    for (const { instance } of wrappers)
      if (typeof instance === 'object' && instance !== null) this.#exploreInstance(instance as object);
    // Providers of a module that is being loaded right now have no instance yet: look again next time.
    if (wrappers.every((wrapper) => wrapper.isTransient || wrapper.isAlias || wrapper.instance !== undefined))
      this.#complete = this.modules.size;
  }

  #exploreInstance(instance: object): void {
    const prototype = Object.getPrototypeOf(instance) as object | null;
    if (!prototype || this.#explored.has(instance)) return;
    this.#explored.add(instance);
    for (const name of this.scanner.getAllMethodNames(prototype)) {
      const method = (instance as Record<string, unknown>)[name];
      if (typeof method !== 'function') continue;
      const found = (Reflect.getMetadata(HOOK_METADATA, method) ?? []) as HookMetadata[];
      for (const hook of found) {
        if (hook.root === this.root) this.#register(hook, method.bind(instance) as (...args: unknown[]) => unknown);
      }
    }
  }

  #register({ moment, names }: HookMetadata, call: (...args: unknown[]) => unknown): Unregister {
    const { hooks } = this;
    const all = { connect: 'onDbConnect', disconnect: 'onDbDisconnect', error: 'onDbError' } as const;
    const some = { connect: 'onTheseDBConnect', disconnect: 'onTheseDBDisconnect', error: 'onTheseDBError' } as const;
    return names.length === 0 ? hooks[all[moment]](call) : hooks[some[moment]](names, call);
  }
}
