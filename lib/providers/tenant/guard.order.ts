import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { isObservable, lastValueFrom } from 'rxjs';
import type { Guards } from './pipeline.stages.js';
import type { TenantEntry } from './tenant.entry.js';
import { TenantPendingError } from './tenant.errors.js';
import { TenantGuardOrderError } from './tenant-work.errors.js';
import { isAsking } from './tenant.interceptor.js';
import { graphqlRequestOf, isHandshake, requestOf } from './tenant.request.js';

/**
 * Tells of guards on the wrong side of `TenantGuard`: one before it that asks for the tenant, and one after it that finds
 * out who is asking. Such a list would else decide without what it should decide by.
 */
export class GuardOrder {
  /** Of each list (Nest makes one a route): the same, each guard beside a `TenantGuard` watched. */
  readonly #watched = new WeakMap<Guards, Guards>();

  constructor(readonly entry: TenantEntry) {}

  of(guards: Guards): Guards {
    const at = guards.findLastIndex((guard) => isAsking(guard, this.entry));
    if (at < 0 || guards.length === 1) return guards;
    let watched = this.#watched.get(guards);
    if (!watched) {
      watched = guards.map((guard, i) => {
        if (isAsking(guard, this.entry)) return guard;
        return i < at ? askingNothing(guard, guards, at) : this.#findingNothing(guard, guards, at);
      });
      this.#watched.set(guards, watched);
    }
    return watched;
  }

  /** A guard after `TenantGuard`: who is asking is known by then, and no other tenant is found. */
  #findingNothing(guard: CanActivate, guards: Guards, at: number): CanActivate {
    // A socket keeps who was found, and its next message would look as if all were well.
    const refused = new WeakSet<object>();
    const refuse = () => {
      throw new TenantGuardOrderError(nameOf(guard), orderWith(guard, guards, at), true);
    };
    return watching(guard, async (execution) => {
      const { hasAfterGuards } = this.entry.resolution;
      const connection = connectionOf(execution);
      if (connection && refused.has(connection)) refuse();
      const user = userOf(execution);
      const isIn = await this.entry.inCall(execution, () => resultOf(guard.canActivate(execution)));
      if (!isIn || !hasAfterGuards) return isIn;
      const isLate = isPassports(guard) && user === undefined && userOf(execution) !== undefined;
      if (isLate || (await this.entry.hasOtherTenantByNow(execution, userOf(execution) !== user))) {
        if (connection) refused.add(connection);
        refuse();
      }
      return true;
    });
  }
}

/** A guard before `TenantGuard`: the tenant is not known yet. */
const askingNothing = (guard: CanActivate, guards: Guards, at: number): CanActivate =>
  watching(guard, async (execution) => {
    try {
      return await resultOf(guard.canActivate(execution));
    } catch (error) {
      if (!(error instanceof TenantPendingError)) throw error;
      throw new TenantGuardOrderError(nameOf(guard), orderWith(guard, guards, at), false, error);
    }
  });

const watching = (guard: CanActivate, canActivate: CanActivate['canActivate']): CanActivate =>
  Object.create(guard, { canActivate: { value: canActivate } }) as CanActivate;

const resultOf = async (given: ReturnType<CanActivate['canActivate']>): Promise<boolean> =>
  isObservable(given) ? lastValueFrom(given) : given;

const userOf = (execution: ExecutionContext): unknown => requestOf(execution).user ?? undefined;

/** Over which many messages of one client come. */
function connectionOf(execution: ExecutionContext): object | undefined {
  const type = execution.getType<string>();
  if (type === 'ws') return execution.switchToWs().getClient<object>();
  const request = type === 'graphql' ? graphqlRequestOf(execution.getArgs<unknown[]>()) : undefined;
  return request && isHandshake(request) ? request : undefined;
}

/** The names of the guards in the right order: this one on the other side of the `TenantGuard` at `at`, those of passport before it. */
function orderWith(guard: CanActivate, guards: Guards, at: number): string[] {
  const isBefore = (one: CanActivate, i: number) => (one === guard ? i > at : i < at || isPassports(one));
  const others = guards.map((one, i) => ({ one, isBefore: isBefore(one, i) })).filter((_, i) => i !== at);
  const side = (before: boolean) => others.filter(({ isBefore }) => isBefore === before).map(({ one }) => one);
  return [...side(true), guards[at]!, ...side(false)].map(nameOf);
}

/** What a reader calls it. The classes that `AuthGuard('jwt')` of @nestjs/passport makes have names that are random. */
const nameOf = (guard: CanActivate): string => (isPassports(guard) ? 'AuthGuard(…)' : guard.constructor.name);

function isPassports({ constructor }: CanActivate): boolean {
  const { prototype } = constructor as { prototype: object };
  return Object.hasOwn(prototype, 'getAuthenticateOptions') && Object.hasOwn(prototype, 'logIn');
}
