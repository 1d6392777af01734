import { Inject, Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { HOOK_METADATA, type HookMetadata } from './hook.metadata.js';
import { PolyMongoHooks, type Unregister } from './polymongo-hooks.provider.js';

/** Finds provider methods decorated with `@OnDbConnect`, `@OnDbDisconnect` and `@OnDbError`, and registers them. */
@Injectable()
export class HookExplorer {
  readonly #explored = new WeakSet<object>();

  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(MetadataScanner) private readonly scanner: MetadataScanner,
    @Inject(PolyMongoHooks) private readonly hooks: PolyMongoHooks,
  ) {}

  /** Registers what was not registered before; request-scoped providers have no instance to call and are left out. */
  explore(): void {
    for (const wrapper of [...this.discovery.getProviders(), ...this.discovery.getControllers()]) {
      const instance = wrapper.instance as unknown;
      if (
        !wrapper.isDependencyTreeStatic() ||
        typeof instance !== 'object' ||
        instance === null ||
        this.#explored.has(instance)
      )
        continue;
      const prototype = Object.getPrototypeOf(instance) as object | null;
      if (!prototype) continue;
      this.#explored.add(instance);
      for (const name of this.scanner.getAllMethodNames(prototype))
        this.#register(instance as Record<string, () => unknown>, name);
    }
  }

  #register(instance: Record<string, (...args: never[]) => unknown>, name: string): void {
    const method = instance[name];
    if (typeof method !== 'function') return;
    for (const hook of (Reflect.getMetadata(HOOK_METADATA, method) ?? []) as HookMetadata[])
      this.#add(hook, method.bind(instance));
  }

  #add({ moment, names }: HookMetadata, callback: (...args: never[]) => unknown): Unregister {
    const call = callback as (...args: unknown[]) => unknown;
    if (moment === 'error') return this.hooks.onDbError(call, names);
    if (names.length === 0)
      return moment === 'connect' ? this.hooks.onDbConnect(call) : this.hooks.onDbDisconnect(call);
    return moment === 'connect'
      ? this.hooks.onTheseDBConnect(names, call)
      : this.hooks.onTheseDBDisconnect(names, call);
  }
}
