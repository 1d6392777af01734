/**
 * The private places of Nest that this package touches; the only file that names them. Read in 11.2 and 12.5 of
 * @nestjs/core, 11.2 and 12.1 of @nestjs/websockets and @nestjs/microservices:
 *
 * - `ExternalContextCreator`, which can be injected, has a `guardsConsumer`, an `interceptorsConsumer` and an
 *   `interceptorsContextCreator`. Nest makes one of each for routes, gateways, microservices and resolvers, all of these
 *   three classes. Its own `create(…)` makes what a GraphQL library calls as a resolver; the type is its ninth argument.
 * - `GuardsConsumer.prototype.tryActivate(guards, args, instance, callback, type)` runs the guards.
 * - `InterceptorsConsumer.prototype.intercept(interceptors, args, instance, callback, next, type)` runs the interceptors
 *   and then `next`, which is the pipes and the handler; also where there are none of them.
 * - `InterceptorsConsumer.prototype.createContext(args, instance, callback)` makes the execution context of interceptors.
 * - `InterceptorsContextCreator.prototype.create(instance, callback, …)` finds the interceptors of a handler, before it
 *   is called.
 * - `ApplicationConfig.prototype.getIoAdapter()` is where gateways take their adapter from.
 *   `getGlobalPreRequestHooks()`, from 12 on, gives what microservices run before the guards.
 * - `ModulesContainer.prototype.getRpcTargetRegistry()`, from 11.1.4 on, tells of each microservice's server before
 *   handlers are added to that by `addHandler(pattern, callback, …)`.
 */
import type { ExecutionContext, WebSocketAdapter } from '@nestjs/common';
import type { ApplicationConfig, ExternalContextCreator, ModulesContainer } from '@nestjs/core';
import type { Observable } from 'rxjs';
import { PolyMongoError } from '../../polymongo.errors.js';
import { adapterIn, beginMessages, type RpcServer } from './nest.transports.js';
import { AllStages, type Guards, type Interceptors, type Onward, type PipelineStages } from './pipeline.stages.js';

/** What can be injected and leads to the places. */
export interface NestPlaces {
  readonly creator: ExternalContextCreator;
  readonly config: ApplicationConfig;
  readonly modules: ModulesContainer;
}

type Arguments = unknown[];
type Handler = (...args: Arguments) => unknown;

interface ContextCreator {
  create(...args: Arguments): Handler;
  [STAGES]?: AllStages;
}

interface GuardsConsumer {
  tryActivate(guards: Guards, args: Arguments, instance: object, callback: unknown, type: string): Promise<boolean>;
}

interface InterceptorsConsumer {
  intercept(
    interceptors: Interceptors,
    args: Arguments,
    instance: object,
    callback: unknown,
    next: () => unknown,
    type: string,
  ): Promise<unknown>;
  createContext(
    args: Arguments,
    instance: object,
    callback: unknown,
  ): ExecutionContext & { setType(type: string): void };
}

interface InterceptorsContextCreator {
  create(instance: object, callback: unknown, ...rest: Arguments): Interceptors;
}

type PreRequestHook = (execution: unknown, next: Onward) => unknown;

interface Config {
  getIoAdapter(): WebSocketAdapter | null;
  getGlobalPreRequestHooks?(): PreRequestHook[];
}

interface Modules {
  getRpcTargetRegistry?(): Observable<RpcServer & { [STAGES]?: boolean }>;
}

/** On what of Nest has been wrapped: whoever stands around. Shared by our ESM and CommonJS builds. */
const STAGES: unique symbol = Symbol.for('polymongo.nest.stages') as never;

/** Where the type of call is among the arguments of `ExternalContextCreator.create`. */
const TYPE_AT = 8;

/**
 * Has `stages` stand around the stages of every call in this process, without another interceptor in the chain.
 * @returns takes them away again
 * @throws PolyMongoError when this is not the Nest that was read
 */
export function standAround(nest: NestPlaces, stages: PipelineStages): () => void {
  const places = placesIn(nest);
  const all = (places.creator[STAGES] ??= wrap(places));
  all.add(stages);
  const servers = (nest.modules as Modules).getRpcTargetRegistry?.().subscribe((server) => {
    if (!server[STAGES]) beginMessages(Object.assign(server, { [STAGES]: true }), all);
  });
  return () => {
    all.delete(stages);
    servers?.unsubscribe();
  };
}

function wrap({ creator, guardsConsumer, interceptorsConsumer, interceptorsContextCreator, config }: Places) {
  const all = new AllStages();
  const interceptorsOf = wrapCreation(interceptorsContextCreator);

  const { tryActivate } = guardsConsumer;
  guardsConsumer.tryActivate = function (given, args, instance, callback, type) {
    const proceed = (used: Guards) => tryActivate.call(this, used, args, instance, callback, type);
    return all.guards({ type, args }, given, interceptorsOf(instance, callback), proceed);
  };

  const { intercept } = interceptorsConsumer;
  interceptorsConsumer.intercept = function (given, args, instance, callback, next, type) {
    const execution = () => {
      const context = this.createContext(args, instance, callback);
      context.setType(type);
      return context;
    };
    const proceed = (used: Interceptors) => intercept.call(this, used, args, instance, callback, next, type);
    return all.interceptors({ type, args }, given, proceed, execution);
  };

  const { create } = creator;
  creator.create = function (...given) {
    const handler = create.apply(this, given);
    const type = (given[TYPE_AT] ?? 'http') as string;
    return (...args) => all.resolver({ type, args }, () => handler(...args));
  };

  wrapConfig(config, all);
  return all;
}

/** @returns which interceptors were found for a handler */
function wrapCreation(creators: InterceptorsContextCreator) {
  const found = new WeakMap<object, Map<unknown, Interceptors>>();
  const { create } = creators;
  creators.create = function (instance, callback, ...rest) {
    const interceptors = create.call(this, instance, callback, ...rest);
    if (!found.has(instance)) found.set(instance, new Map());
    found.get(instance)!.set(callback, interceptors);
    return interceptors;
  };
  return (instance: object, callback: unknown): Interceptors => found.get(instance)?.get(callback) ?? [];
}

function wrapConfig(config: Config, all: AllStages): void {
  const seen = new WeakMap<WebSocketAdapter, WebSocketAdapter>();
  const { getIoAdapter, getGlobalPreRequestHooks } = config;
  config.getIoAdapter = function () {
    const adapter = getIoAdapter.call(this);
    if (adapter && !seen.has(adapter)) seen.set(adapter, adapterIn(adapter, all));
    return adapter && seen.get(adapter)!;
  };
  if (!getGlobalPreRequestHooks) return;
  config.getGlobalPreRequestHooks = function () {
    const hooks = getGlobalPreRequestHooks.call(this);
    return hooks.map((hook) => (execution, next) => hook(execution, all.onward(next)));
  };
}

/** The prototypes that have the places. */
interface Places {
  creator: ContextCreator;
  guardsConsumer: GuardsConsumer;
  interceptorsConsumer: InterceptorsConsumer;
  interceptorsContextCreator: InterceptorsContextCreator;
  config: Config;
  modules: Modules;
}

function placesIn({ creator, config, modules }: NestPlaces): Places {
  const { guardsConsumer, interceptorsConsumer, interceptorsContextCreator } = creator as unknown as Record<
    string,
    object | undefined
  >;
  const owners = { creator, guardsConsumer, interceptorsConsumer, interceptorsContextCreator, config, modules };
  const places = Object.fromEntries(
    Object.entries(owners).map(([name, owner]) => [name, owner && (Object.getPrototypeOf(owner) as object)]),
  ) as unknown as Places;
  if (!places.creator[STAGES]) check(places);
  return places;
}

/** How many parameters each method has; all that are touched, or this does not compile. */
type LookedFor = {
  readonly [Owner in keyof Places]: { readonly [Method in Exclude<keyof Places[Owner], symbol>]-?: number };
};

const LOOKED_FOR: LookedFor = {
  creator: { create: 5 },
  guardsConsumer: { tryActivate: 5 },
  interceptorsConsumer: { intercept: 6, createContext: 3 },
  interceptorsContextCreator: { create: 3 },
  config: { getIoAdapter: 0, getGlobalPreRequestHooks: 0 },
  modules: { getRpcTargetRegistry: 0 },
};

function check(places: Places): void {
  /** Not there before 12 and 11.1.4. A Nest that has the hooks has the registry, too. */
  const { config } = places as Partial<Places>;
  const mayLack = (name: string) =>
    name === 'getGlobalPreRequestHooks' ||
    (name === 'getRpcTargetRegistry' && config?.getGlobalPreRequestHooks === undefined);
  for (const [owner, methods] of Object.entries(LOOKED_FOR)) {
    for (const [name, length] of Object.entries(methods)) {
      const method = (places as unknown as Record<string, Record<string, unknown> | undefined>)[owner]?.[name];
      if (typeof method === 'function' && method.length === length) continue;
      if (method === undefined && mayLack(name)) continue;
      throw new PolyMongoError(
        `This version of Nest has changed inside: ${owner}.${name} is not what nestjs-polymongo knows from @nestjs/core ` +
          '11.2 and 12.5. Without it one request could run as the tenant of another. Use one of these versions, or a ' +
          'newer nestjs-polymongo.',
      );
    }
  }
}
