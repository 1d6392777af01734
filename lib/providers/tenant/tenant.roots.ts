import type { TenantContext } from './tenant.context.js';

/** On what is one in an application: the contexts of its roots. Shared by our ESM and CommonJS builds. */
const CONTEXTS: unique symbol = Symbol.for('polymongo.tenant.contexts') as never;

/** Has the context of a root know those of the application's other roots: a request may have a tenant of each. */
export function joinApplication(
  application: object & { [CONTEXTS]?: Set<TenantContext> },
  context: TenantContext,
): void {
  const all = (application[CONTEXTS] ??= new Set());
  all.add(context);
  context.ofApplication = all;
}
