/**
 * The private places of Nest that this package touches; the only file that names them. Read in @nestjs/core 11.2.10 and
 * 12.5.1:
 *
 * - `ExternalContextCreator`, which can be injected, has a `guardsConsumer` and an `interceptorsConsumer`. Nest makes one
 *   of each for routes, gateways, microservices and resolvers, all of these two classes.
 * - `GuardsConsumer.prototype.tryActivate(guards, args, instance, callback, type)` runs the guards.
 * - `InterceptorsConsumer.prototype.intercept(interceptors, args, instance, callback, next, type)` runs the interceptors
 *   and then `next`, which is the pipes and the handler; also where there are none of them.
 * - `InterceptorsConsumer.prototype.createContext(args, instance, callback)` makes the execution context of interceptors.
 */
import type { ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { ExternalContextCreator } from '@nestjs/core';
import { PolyMongoError } from '../../polymongo.errors.js';

/** One call of a route, message handler or resolver. */
export interface PipelineCall {
  /** As `ExecutionContext.getType()`. */
  readonly type: string;
  readonly args: readonly unknown[];
}

export type Interceptors = readonly NestInterceptor[];

/** Stands around stages of each call in this process. */
export interface PipelineStages {
  guards<T>(call: PipelineCall, proceed: () => T): T;
  /** @param execution makes the call's execution context */
  interceptors(
    call: PipelineCall,
    interceptors: Interceptors,
    proceed: (interceptors: Interceptors) => Promise<unknown>,
    execution: () => ExecutionContext,
  ): Promise<unknown>;
}

type Arguments = unknown[];

interface GuardsConsumer {
  tryActivate(guards: unknown, args: Arguments, instance: object, callback: unknown, type: string): Promise<boolean>;
  [STAGES]?: Set<PipelineStages>;
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

/** On Nest's class: whoever stands around its stages. Shared by our ESM and CommonJS builds. */
const STAGES: unique symbol = Symbol.for('polymongo.nest.stages') as never;

/**
 * Has `stages` stand around the stages of every call in this process, without another interceptor in the chain.
 * @returns takes them away again
 * @throws PolyMongoError when this is not the Nest that was read
 */
export function standAround(creator: ExternalContextCreator, stages: PipelineStages): () => void {
  const { guards, interceptors } = consumersOf(creator);
  const all = (guards[STAGES] ??= wrap(guards, interceptors));
  all.add(stages);
  return () => void all.delete(stages);
}

function wrap(guards: GuardsConsumer, interceptors: InterceptorsConsumer): Set<PipelineStages> {
  const all = new Set<PipelineStages>();
  const { tryActivate } = guards;
  guards.tryActivate = function (given, args, instance, callback, type) {
    let proceed = () => tryActivate.call(this, given, args, instance, callback, type);
    for (const stages of all) {
      const inner = proceed;
      proceed = () => stages.guards({ type, args }, inner);
    }
    return proceed();
  };
  const { intercept } = interceptors;
  interceptors.intercept = function (given, args, instance, callback, next, type) {
    const execution = () => {
      const context = this.createContext(args, instance, callback);
      context.setType(type);
      return context;
    };
    let proceed = (used: Interceptors) => intercept.call(this, used, args, instance, callback, next, type);
    for (const stages of all) {
      const inner = proceed;
      proceed = (used) => stages.interceptors({ type, args }, used, inner, execution);
    }
    return proceed(given);
  };
  return all;
}

/** What is looked for, and how many parameters it has. */
const PLACES = {
  guardsConsumer: { tryActivate: 5 },
  interceptorsConsumer: { intercept: 6, createContext: 3 },
} as const;

function consumersOf(creator: ExternalContextCreator) {
  const found = creator as unknown as Record<string, Record<string, unknown> | undefined>;
  for (const [consumer, methods] of Object.entries(PLACES)) {
    for (const [name, length] of Object.entries(methods)) {
      const method = found[consumer]?.[name];
      if (typeof method === 'function' && method.length === length) continue;
      throw new PolyMongoError(
        `This version of Nest has changed inside: ${consumer}.${name} is not what nestjs-polymongo knows from @nestjs/core ` +
          '11.2 and 12.5. Without it one request could run as the tenant of another. Use one of these versions, or a ' +
          'newer nestjs-polymongo.',
      );
    }
  }
  return {
    guards: Object.getPrototypeOf(found['guardsConsumer']) as GuardsConsumer,
    interceptors: Object.getPrototypeOf(found['interceptorsConsumer']) as InterceptorsConsumer,
  };
}
