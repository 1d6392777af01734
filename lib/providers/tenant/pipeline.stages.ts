import type { CanActivate, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { Observable } from 'rxjs';

/** One call of a route, message handler or resolver. */
export interface PipelineCall {
  /** As `ExecutionContext.getType()`. */
  readonly type: string;
  readonly args: readonly unknown[];
}

export type Guards = readonly CanActivate[];
export type Interceptors = readonly NestInterceptor[];

/** What a hook before the guards goes on by. */
export type Onward = () => Observable<unknown>;

/** Stands around stages of each call in this process. */
export interface PipelineStages {
  /** Around all that serves one message, its filters and REQUEST-scoped providers included. */
  message<T>(proceed: () => T): T;
  /** Around what a gateway does when it is told of a connection. */
  connection<T>(proceed: () => T): T;
  /** Around a resolver and its filters. */
  resolver<T>(call: PipelineCall, proceed: () => T): T;
  /** Gives what a hook is to go on by, wherever it does. */
  onward(next: Onward): Onward;
  /** @param interceptors those that come afterwards */
  guards<T>(call: PipelineCall, guards: Guards, interceptors: Interceptors, proceed: (guards: Guards) => T): T;
  /** @param execution makes the call's execution context */
  interceptors(
    call: PipelineCall,
    interceptors: Interceptors,
    proceed: (interceptors: Interceptors) => Promise<unknown>,
    execution: () => ExecutionContext,
  ): Promise<unknown>;
}

/** Many of them as one, each around those before it. */
export class AllStages extends Set<PipelineStages> implements PipelineStages {
  message<T>(proceed: () => T): T {
    return this.#around(proceed, (stages, inner) => stages.message(inner));
  }

  connection<T>(proceed: () => T): T {
    return this.#around(proceed, (stages, inner) => stages.connection(inner));
  }

  resolver<T>(call: PipelineCall, proceed: () => T): T {
    return this.#around(proceed, (stages, inner) => stages.resolver(call, inner));
  }

  onward(next: Onward): Onward {
    return [...this].reduce((inner, stages) => stages.onward(inner), next);
  }

  guards<T>(call: PipelineCall, guards: Guards, interceptors: Interceptors, proceed: (guards: Guards) => T): T {
    let outer = proceed;
    for (const stages of this) {
      const inner = outer;
      outer = (used) => stages.guards(call, used, interceptors, inner);
    }
    return outer(guards);
  }

  interceptors(
    call: PipelineCall,
    interceptors: Interceptors,
    proceed: (interceptors: Interceptors) => Promise<unknown>,
    execution: () => ExecutionContext,
  ): Promise<unknown> {
    let outer = proceed;
    for (const stages of this) {
      const inner = outer;
      outer = (used) => stages.interceptors(call, used, inner, execution);
    }
    return outer(interceptors);
  }

  #around<T>(proceed: () => T, around: (stages: PipelineStages, inner: () => T) => T): T {
    let outer = proceed;
    for (const stages of this) {
      const inner = outer;
      outer = () => around(stages, inner);
    }
    return outer();
  }
}
