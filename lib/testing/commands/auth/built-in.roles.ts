import { ANY_ACTION, type Privilege } from './privileges.js';

const words = (text: string): string[] => text.trim().split(/\s+/);

const READ = words('find changeStream collStats dbHash dbStats killCursors listCollections listIndexes');
const WRITE = words(`convertToCapped createCollection createIndex dropCollection dropIndex insert remove
  renameCollectionSameDB update`);
const ADMINISTER =
  words(`bypassDocumentValidation collMod collStats compact convertToCapped createCollection createIndex
  dbHash dbStats dropCollection dropDatabase dropIndex enableProfiler indexStats listCollections listIndexes
  planCacheRead planCacheWrite reIndex renameCollectionSameDB validate`);
const ADMINISTER_USERS = words(`changeCustomData changePassword createRole createUser dropRole dropUser grantRole
  revokeRole viewRole viewUser`);
const MONITOR = words(`getCmdLineOpts getDefaultRWConcern getLog getParameter hostInfo inprog listDatabases listSessions
  replSetGetConfig replSetGetStatus serverStatus top`);
const MANAGE = words('fsync killAnySession killop setDefaultRWConcern setParameter');

/** What the roles of one database allow in it (manual: Built-In Roles). */
const OF_DATABASE: Readonly<Record<string, readonly string[]>> = {
  read: READ,
  readWrite: [...READ, ...WRITE],
  dbAdmin: ADMINISTER,
  userAdmin: ADMINISTER_USERS,
  dbOwner: [...READ, ...WRITE, ...ADMINISTER, ...ADMINISTER_USERS],
};

const everywhere = (actions: readonly string[]): Privilege[] => [
  { resource: { db: '', coll: '' }, actions },
  { resource: { cluster: true }, actions: ['listDatabases'] },
];
const onCluster = (actions: readonly string[]): Privilege => ({ resource: { cluster: true }, actions });

/** Those of the database admin, which are about all of them. */
const OF_ADMIN: Readonly<Record<string, readonly Privilege[]>> = {
  readAnyDatabase: everywhere(READ),
  readWriteAnyDatabase: everywhere([...READ, ...WRITE]),
  dbAdminAnyDatabase: everywhere(ADMINISTER),
  userAdminAnyDatabase: everywhere(ADMINISTER_USERS),
  backup: everywhere(READ),
  restore: everywhere([...WRITE, ...ADMINISTER, ...ADMINISTER_USERS]),
  clusterMonitor: [
    onCluster(MONITOR),
    { resource: { db: '', coll: '' }, actions: ['collStats', 'dbStats', 'indexStats'] },
  ],
  clusterManager: [onCluster([...MONITOR, ...MANAGE])],
  hostManager: [onCluster(MANAGE)],
  clusterAdmin: [onCluster([...MONITOR, ...MANAGE]), { resource: { db: '', coll: '' }, actions: ['dropDatabase'] }],
  root: [{ resource: { anyResource: true }, actions: [ANY_ACTION] }],
  __system: [{ resource: { anyResource: true }, actions: [ANY_ACTION] }],
};

/** What a built-in role of a database allows; undefined for a name that is none. */
export function builtInPrivileges(role: string, db: string): readonly Privilege[] | undefined {
  if (db === 'admin' && Object.hasOwn(OF_ADMIN, role)) return OF_ADMIN[role];
  const actions = Object.hasOwn(OF_DATABASE, role) ? OF_DATABASE[role]! : undefined;
  if (!actions) return undefined;
  const privileges: Privilege[] = [{ resource: { db, coll: '' }, actions }];
  if (actions.includes('enableProfiler')) privileges.push({ resource: { db, coll: 'system.profile' }, actions: READ });
  return privileges;
}
