import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { isObservable, lastValueFrom } from 'rxjs';
import type { Guards } from './pipeline.stages.js';
import type { TenantEntry } from './tenant.entry.js';
import { TenantPendingError } from './tenant.errors.js';
import { TenantGuardOrderError } from './tenant-work.errors.js';
import { isAsking } from './tenant.interceptor.js';
import { requestOf } from './tenant.request.js';

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

  /** A guard after `TenantGuard`: who is asking is known by then, and nothing more of the tenant is found. */
  #findingNothing(guard: CanActivate, guards: Guards, at: number): CanActivate {
    return watching(guard, async (execution) => {
      const { hasAfterGuards } = this.entry.resolution;
      const isUnknown = userOf(execution) === undefined;
      const isIn = await this.entry.inCall(execution, () => resultOf(guard.canActivate(execution)));
      if (!isIn || !hasAfterGuards) return isIn;
      if ((isUnknown && userOf(execution) !== undefined) || (await this.entry.hasTenantByNow(execution))) {
        const refuse = () => {
          throw new TenantGuardOrderError(nameOf(guard), orderWith(guard, guards, at), true);
        };
        // From now on at once: a socket keeps who was found, and its next message would look as if all were well.
        this.#watched.set(guards, [{ canActivate: refuse }]);
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

/** The names of the guards, with this one on the other side of the `TenantGuard` that is at `at`. */
function orderWith(guard: CanActivate, guards: Guards, at: number): string[] {
  const others = guards.filter((one) => one !== guard);
  const place = others.indexOf(guards[at]!) + (guards.indexOf(guard) < at ? 1 : 0);
  return others.toSpliced(place, 0, guard).map(nameOf);
}

/** What a reader calls it. The classes that `AuthGuard('jwt')` of @nestjs/passport makes have names that are random. */
function nameOf({ constructor }: CanActivate): string {
  const { name, prototype } = constructor as { name: string; prototype: object };
  return Object.hasOwn(prototype, 'getAuthenticateOptions') && Object.hasOwn(prototype, 'logIn')
    ? 'AuthGuard(…)'
    : name;
}
