import type { Namespace } from '../../storage/namespace.js';

/** What a privilege is about; an empty `db` or `coll` stands for any, but for system collections. */
export type Resource =
  { readonly db: string; readonly coll: string } | { readonly cluster: true } | { readonly anyResource: true };

/** Actions on a resource (manual: Privilege Actions). */
export interface Privilege {
  readonly resource: Resource;
  readonly actions: readonly string[];
}

/** An action that a command takes, on a collection, a database (without `coll`), or the cluster. */
export interface Demand {
  readonly action: string;
  readonly on: Partial<Namespace> | 'cluster';
}

export const ANY_ACTION = 'anyAction';

/** Whether it says anything of a collection, or of anything in a database. */
export const concerns = ({ resource, actions }: Privilege, { db, coll }: Partial<Namespace>): boolean =>
  actions.length > 0 &&
  (covers(resource, { db, coll }) || (coll === undefined && 'db' in resource && resource.db === db));

export const grants = ({ resource, actions }: Privilege, { action, on }: Demand): boolean =>
  (actions.includes(action) || actions.includes(ANY_ACTION)) && covers(resource, on);

/** Whether any of them lets somebody read a collection that is not the server's own. */
export const mayReadSomething = (privileges: readonly Privilege[]): boolean =>
  privileges.some(
    ({ resource, actions }) =>
      (actions.includes('find') || actions.includes(ANY_ACTION)) &&
      !('cluster' in resource) &&
      !('coll' in resource && resource.coll.startsWith('system.')),
  );

/** Databases that "any database" leaves out. */
const SERVERS_OWN: readonly (string | undefined)[] = ['config', 'local'];

function covers(resource: Resource, on: Demand['on']): boolean {
  if ('anyResource' in resource) return true;
  if ('cluster' in resource || on === 'cluster') return 'cluster' in resource && on === 'cluster';
  if (resource.db === '' ? resource.coll === '' && SERVERS_OWN.includes(on.db) : resource.db !== on.db) return false;
  if (on.coll === undefined) return resource.coll === '';
  return (
    resource.coll === on.coll || (resource.coll === '' && (!on.coll.startsWith('system.') || on.coll === 'system.js'))
  );
}
