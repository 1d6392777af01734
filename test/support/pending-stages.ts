import {
  Catch,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
  type NestInterceptor,
} from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { TenantPendingError, type TenantContext } from 'nestjs-polymongo';
import { map, of, switchMap, tap, type Observable } from 'rxjs';
import { SharedResource } from './shared-resource.js';

export type Stage = 'guards' | 'then' | 'filter';

/** Stages of a call that look at whose it is, and go on in the context of whoever asked first for what all share. */
export class PendingStages {
  readonly #shared = new SharedResource();
  /** What each stage of the current call saw. */
  seen!: Record<Stage, Set<string>>;
  /** Where what was seen was not as it should be. */
  readonly wrong: string[] = [];
  context!: TenantContext;
  adapter!: HttpAdapterHost['httpAdapter'];

  /** @param below gives a random number */
  constructor(readonly below: (n: number) => number) {}

  begin(): void {
    this.seen = { guards: new Set(), then: new Set(), filter: new Set() };
  }

  /** Pending, `current()` and `require()` throw; decided or none, they say what `state` says, which never throws. */
  probe(stage: Stage): void {
    const { state } = this.context;
    this.seen[stage].add(state);
    const current = caught(() => this.context.current());
    const required = caught(() => this.context.require());
    const isRight =
      state === 'pending'
        ? current instanceof TenantPendingError && required instanceof TenantPendingError
        : state === 'none'
          ? current === undefined && required instanceof Error
          : current === state && required === state;
    if (!isRight) this.wrong.push(`${stage}: ${state}, ${String(current)}, ${String(required)}`);
  }

  #detour(): Observable<void> {
    return this.below(3) === 0 ? of(undefined) : this.#shared.answer();
  }

  readonly guard: CanActivate = {
    canActivate: () => {
      this.probe('guards');
      return this.#detour().pipe(map(() => true));
    },
  };

  readonly interceptor: NestInterceptor = {
    intercept: (_, next) => {
      this.probe('then');
      return this.#detour().pipe(
        switchMap(() => next.handle()),
        tap(() => this.probe('then')),
      );
    },
  };

  /** Answers what was refused in the middle of a call. */
  readonly filter: ExceptionFilter = new Refusals(this);
}

@Catch()
class Refusals implements ExceptionFilter {
  constructor(readonly stages: PendingStages) {}
  catch(error: Error, host: ArgumentsHost): unknown {
    this.stages.probe('filter');
    switch (host.getType<string>()) {
      case 'ws':
        return undefined;
      case 'rpc':
        return of('refused');
      case 'graphql':
        return error;
      default:
        return this.stages.adapter.reply(host.getArgByIndex(1), error.name, 403) as unknown;
    }
  }
}

const caught = (fn: () => unknown): unknown => {
  try {
    return fn();
  } catch (error) {
    return error;
  }
};
