import { describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { ApplicationConfig, ExternalContextCreator, ModulesContainer, NestFactory } from '@nestjs/core';
import { ReplaySubject } from 'rxjs';
import { PolyMongoError } from '../../../lib/index.js';
import { standAround, type NestPlaces } from '../../../lib/providers/tenant/nest.pipeline.js';
import type { PipelineStages } from '../../../lib/providers/tenant/pipeline.stages.js';

/** As what of Nest can be injected is, with classes of its own. */
function nestWith(change: (classes: Record<string, { prototype: object }>) => void = () => {}) {
  class GuardsConsumer {
    async tryActivate(guards: string[], _args: unknown[], _instance: object, _callback: unknown, _type: string) {
      return guards.length === 0;
    }
  }
  class InterceptorsConsumer {
    async intercept(
      _i: unknown[],
      _args: unknown[],
      _instance: object,
      _c: unknown,
      next: () => unknown,
      _type: string,
    ) {
      return next();
    }
    createContext(args: unknown[], _instance: object, _callback: unknown) {
      return { args, setType() {} };
    }
  }
  class InterceptorsContextCreator {
    create(_instance: object, callback: unknown, _module: string, _contextId = 0) {
      return [callback];
    }
  }
  class ExternalContextCreator {
    readonly guardsConsumer = new GuardsConsumer();
    readonly interceptorsConsumer = new InterceptorsConsumer();
    readonly interceptorsContextCreator = new InterceptorsContextCreator();
    create(_instance: object, callback: unknown, _method: string, _key: string, _params: object, ..._rest: unknown[]) {
      return callback;
    }
  }
  class ApplicationConfig {
    getIoAdapter(): object | null {
      return adapter;
    }
    getGlobalPreRequestHooks() {
      return [(_: unknown, next: () => unknown) => next()];
    }
  }
  class Adapter {
    #port = 1;
    get port() {
      return this.#port;
    }
    set port(port: number) {
      this.#port = port;
    }
    bindClientConnect(server: string, callback: (...args: unknown[]) => unknown) {
      return [server, callback('client'), this.#port];
    }
    bindMessageHandlers(client: string, handlers: { message: string; callback: (...args: unknown[]) => unknown }[]) {
      return handlers.map(({ message, callback }) => [client, message, callback('data')]);
    }
  }
  class ModulesContainer extends Map {
    readonly servers = new ReplaySubject<object>();
    getRpcTargetRegistry() {
      return this.servers;
    }
  }
  change({
    GuardsConsumer,
    InterceptorsConsumer,
    InterceptorsContextCreator,
    ExternalContextCreator,
    ApplicationConfig,
    ModulesContainer,
  });
  const adapter = new Adapter();
  const places = {
    creator: new ExternalContextCreator(),
    config: new ApplicationConfig(),
    modules: new ModulesContainer(),
  };
  return { ...places, adapter, nest: places as unknown as NestPlaces };
}

const stages = (seen: string[], name: string): PipelineStages => ({
  message: (proceed) => (seen.push(`${name} message`), proceed()),
  connection: (proceed) => (seen.push(`${name} connection`), proceed()),
  resolver: (call, proceed) => (seen.push(`${name} resolver of ${call.type}`), proceed()),
  onward: (next) => (seen.push(`${name} onward`), next),
  guards: (call, guards, interceptors, proceed) => (
    seen.push(`${name} guards of ${call.type}, ${interceptors.length} interceptors`),
    proceed(guards)
  ),
  interceptors: (call, interceptors, proceed) => (
    seen.push(`${name} interceptors of ${call.type}`),
    proceed(interceptors)
  ),
});

describe('standing around the stages of Nest', () => {
  it('is there for every consumer of the class, until it is taken away', async () => {
    const { nest, creator } = nestWith();
    const { guardsConsumer, interceptorsConsumer, interceptorsContextCreator } = creator;
    const seen: string[] = [];
    const leave = [standAround(nest, stages(seen, 'a')), standAround(nest, stages(seen, 'b'))];
    const instance = {};
    const call = async () => [
      interceptorsContextCreator.create(instance, 'method', 'module'),
      await guardsConsumer.tryActivate([], [1], instance, 'method', 'ws'),
      await guardsConsumer.tryActivate([], [1], instance, 'another method', 'ws'),
      await interceptorsConsumer.intercept([], [1], instance, 'method', () => 'handled', 'ws'),
    ];
    expect(await call()).toEqual([['method'], true, true, 'handled']);
    expect(seen.toSorted()).toEqual(
      ['a', 'b'].flatMap((name) => [
        `${name} guards of ws, 0 interceptors`,
        `${name} guards of ws, 1 interceptors`,
        `${name} interceptors of ws`,
      ]),
    );
    leave[0]!();
    leave[1]!();
    expect(await call()).toEqual([['method'], true, true, 'handled']);
    expect(seen).toHaveLength(6);
  });

  it('is there where resolvers and hooks of Nest 12 are called', () => {
    const { nest, creator, config } = nestWith();
    const seen: string[] = [];
    standAround(nest, stages(seen, 'a'));
    const types = [undefined, undefined, undefined, 'graphql'];
    const resolver = creator.create({}, (arg: number) => arg + 1, 'method', 'key', {}, ...types) as (
      arg: number,
    ) => number;
    expect(resolver(1)).toBe(2);
    expect(config.getGlobalPreRequestHooks().map((hook) => hook(undefined, () => 'next'))).toEqual(['next']);
    expect(seen).toEqual(['a resolver of graphql', 'a onward']);
  });

  it('is there where an adapter tells gateways something, and leaves it as it is', () => {
    const { nest, config, adapter } = nestWith();
    const seen: string[] = [];
    standAround(nest, stages(seen, 'a'));
    const given = config.getIoAdapter() as typeof adapter;
    expect(config.getIoAdapter()).toBe(given);
    given.port = 2;
    expect([adapter.port, given.port, Object.keys(adapter)]).toEqual([2, 2, []]);
    expect(given.bindClientConnect('server', (client) => client)).toEqual(['server', 'client', 2]);
    expect('bindClientDisconnect' in given).toBe(false);
    const handlers = [{ message: 'event', callback: (data: unknown) => data }];
    expect(given.bindMessageHandlers('client', handlers)).toEqual([['client', 'event', 'data']]);
    expect(seen).toEqual(['a connection', 'a message']);
  });

  it('is there for the handlers of each server once, which may be written on', () => {
    const { nest, modules } = nestWith();
    const seen: string[] = [];
    const handlers: Record<string, (data: unknown) => unknown> = {};
    modules.servers.next({
      addHandler: (pattern: string, handler: (data: unknown) => unknown) => (handlers[pattern] = handler),
    });
    const leave = [standAround(nest, stages(seen, 'a')), standAround(nest, stages(seen, 'b'))];
    const server = {
      addHandler: (pattern: string, handler: (data: unknown) => unknown) => (handlers[pattern] = handler),
    };
    modules.servers.next(server);
    const handler = Object.assign((data: unknown) => [data, handler.next], { next: undefined as unknown });
    server.addHandler('asked', handler);
    Object.assign(handlers['asked']!, { next: 'another' });
    expect(handlers['asked']!('data')).toEqual(['data', 'another']);
    expect(seen.toSorted()).toEqual(['a message', 'b message']);
    for (const each of leave) each();
    expect(modules.servers.observed).toBe(false);
  });

  it.each([
    ['ExternalContextCreator', 'create'],
    ['InterceptorsContextCreator', 'create'],
    ['InterceptorsConsumer', 'intercept'],
    ['InterceptorsConsumer', 'createContext'],
    ['GuardsConsumer', 'tryActivate'],
    ['ApplicationConfig', 'getIoAdapter'],
    ['ModulesContainer', 'getRpcTargetRegistry'],
  ])('is refused when %s.%s is gone or another', (owner, method) => {
    for (const value of [undefined, (_: unknown) => {}]) {
      const { nest } = nestWith((classes) => Reflect.set(classes[owner]!.prototype, method, value));
      expect(() => standAround(nest, stages([], 'a'))).toThrow(PolyMongoError);
      expect(() => standAround(nest, stages([], 'a'))).toThrow(`${method} is not what nestjs-polymongo knows`);
    }
  });

  it('is refused when hooks of Nest 12 are others, and does without them and what else a Nest 11 has not', () => {
    const nestOf11 = (hooks: unknown, registry: unknown) =>
      nestWith(({ ApplicationConfig, ModulesContainer }) => {
        Reflect.set(ApplicationConfig!.prototype, 'getGlobalPreRequestHooks', hooks);
        Reflect.set(ModulesContainer!.prototype, 'getRpcTargetRegistry', registry);
      }).nest;
    const another = (_: unknown) => {};
    expect(() => standAround(nestOf11(another, undefined), stages([], 'a'))).toThrow(
      'getGlobalPreRequestHooks is not what nestjs-polymongo knows',
    );
    expect(() => standAround(nestOf11(undefined, another), stages([], 'a'))).toThrow(
      'getRpcTargetRegistry is not what nestjs-polymongo knows',
    );
    expect(() => standAround(nestOf11(undefined, undefined), stages([], 'a'))()).not.toThrow();
  });

  it('touches no member that it does not look for, and is refused for each when that is another', () => {
    const touched = new Set<string>();
    const watched = <T extends object>(owner: string, target: T): T =>
      new Proxy(target, {
        get(of, name) {
          if (typeof name === 'string') touched.add(`${owner}.${name}`);
          return Reflect.get(of, name) as unknown;
        },
      });
    const { nest } = nestWith((classes) => {
      for (const [owner, type] of Object.entries(classes)) {
        const native = Object.getPrototypeOf(new (type as never as new () => object)()) as object;
        Object.setPrototypeOf(native, watched(owner, {}));
        const names = Object.getOwnPropertyNames(native).filter((name) => name !== 'constructor');
        Object.setPrototypeOf(
          native,
          watched(owner, Object.fromEntries(names.map((n) => [n, Reflect.get(native, n)]))),
        );
        for (const name of names) Reflect.deleteProperty(native, name);
      }
    });
    const creator = watched('ExternalContextCreator', nest.creator);
    standAround({ ...nest, creator }, stages([], 'a'))();
    expect(touched.size).toBeGreaterThanOrEqual(11); // eight methods, and three fields that lead to them
    for (const each of touched) {
      const [owner, name] = each.split('.') as [string, string];
      const changed = nestWith((all) => Reflect.set(all[owner]!.prototype, name, (_: unknown) => {}));
      if (Object.hasOwn(changed.creator, name)) Reflect.set(changed.creator, name, undefined);
      expect(() => standAround(changed.nest, stages([], 'a'))).toThrow('is not what nestjs-polymongo knows');
    }
  });

  it('knows the Nest that is installed', async () => {
    @Module({})
    class Empty {}
    const app = await NestFactory.createApplicationContext(Empty, { logger: false });
    const nest = {
      creator: app.get(ExternalContextCreator),
      config: app.get(ApplicationConfig),
      modules: app.get(ModulesContainer),
    };
    expect(() => standAround(nest, stages([], 'a'))()).not.toThrow();
    expect(nest.modules.getRpcTargetRegistry()).toBeDefined();
    await app.close();
  });
});
