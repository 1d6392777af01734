import { groupBy, mergeMap, type Observable, type OperatorFunction } from 'rxjs';
import { inWork } from '../sessions/current.work.js';
import type { Within } from './tenant.carrier.js';
import { asNoTenant, type TenantContext } from './tenant.context.js';
import { emitIn } from './tenant.emission.js';

/**
 * An operator that gives each tenant what `project` makes, for itself: an operator that waits, collects or compares sees one
 * tenant's events only, and what comes out runs as the tenant of what went in, whenever and by whomever it is made to. For
 * sagas of @nestjs/cqrs, which all tenants share. It is done in no request and no transaction; what came in as no tenant
 * goes on as none. One pipeline is kept for each tenant that has emitted.
 * @example
 * @Saga()
 * idle = (events$: Observable<IEvent>) =>
 *   events$.pipe(
 *     ofType(Seen),
 *     eachTenant(this.context, (own$) => own$.pipe(debounceTime(60_000), map(() => new Remind()))),
 *   );
 */
export function eachTenant<T, R>(
  context: TenantContext,
  project: (own$: Observable<T>) => Observable<R>,
): OperatorFunction<T, R> {
  return (source) =>
    source.pipe(
      groupBy(() => context.scope?.tenantId),
      mergeMap((own$) => {
        const within = aloneAs(context, own$.key);
        return emitIn(
          within,
          within(() => project(emitIn(within, own$))),
        );
      }),
    );
}

/** The way into a scope of a tenant's, or of none, that belongs to no request, and to no tenant of another root. */
function aloneAs(context: TenantContext, tenantId: string | undefined): Within {
  const nobody: Within = (fn) => asNoTenant(() => inWork({}, fn));
  if (tenantId === undefined) return nobody;
  const asTenant = nobody(() => context.run(tenantId, () => context.capture()!));
  return (fn) => asNoTenant(() => asTenant(fn));
}
