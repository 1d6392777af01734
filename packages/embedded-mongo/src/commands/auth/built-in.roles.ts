import { ANY_ACTION, type Privilege } from './privileges.js';

const words = (text: string): string[] => text.trim().split(/\s+/);

const READ = words(`changeStream collStats dbHash dbStats find killCursors listCollections listIndexes listSearchIndexes
  planCacheRead`);
const WRITE = words(`convertToCapped createCollection createIndex createSearchIndexes dropCollection dropIndex
  dropSearchIndex insert remove renameCollectionSameDB update updateSearchIndex`);
const ADMINISTER =
  words(`bypassDocumentValidation collMod collStats compact convertToCapped createCollection createIndex
  createSearchIndexes dbStats dropCollection dropDatabase dropIndex dropSearchIndex enableProfiler listCollections
  listIndexes listSearchIndexes planCacheIndexFilter planCacheRead planCacheWrite reIndex renameCollectionSameDB
  updateSearchIndex validate`);
const ADMINISTER_USERS = words(`changeCustomData changePassword createRole createUser dropRole dropUser grantRole
  revokeRole setAuthenticationRestriction viewRole viewUser`);
const MONITOR = words(`getCmdLineOpts getDefaultRWConcern getLog getParameter hostInfo inprog listDatabases listSessions
  replSetGetConfig replSetGetStatus serverStatus top`);
const MANAGE_HOST = words('fsync killAnyCursor killAnySession killop logRotate setParameter shutdown unlock');
const MANAGE_CLUSTER = words(`getDefaultRWConcern listSessions replSetConfigure replSetGetConfig replSetGetStatus
  replSetStateChange setDefaultRWConcern setFeatureCompatibilityVersion`);

/** What the roles of one database allow in it (manual: Built-In Roles). */
const OF_DATABASE: Readonly<Record<string, readonly string[]>> = {
  read: READ,
  readWrite: [...READ, ...WRITE],
  dbAdmin: ADMINISTER,
  userAdmin: ADMINISTER_USERS,
  dbOwner: [...READ, ...WRITE, ...ADMINISTER, ...ADMINISTER_USERS],
};

const onCluster = (actions: readonly string[]): Privilege => ({ resource: { cluster: true }, actions });
const on = (db: string, coll: string, actions: readonly string[]): Privilege => ({ resource: { db, coll }, actions });
/** Every database but the server's own two. */
const everywhere = (actions: readonly string[]): Privilege => on('', '', actions);
const LISTS_DATABASES = onCluster(['listDatabases']);

/** What `dbAdmin` may do with profiles, which others may not even read. */
const PROFILES = [...READ, 'convertToCapped', 'createCollection', 'dropCollection'];
const STATISTICS = words('collStats dbStats indexStats');
const RESTORE = words(`bypassDocumentValidation collMod convertToCapped createCollection createIndex createSearchIndexes
  dropCollection insert updateSearchIndex`);

const CLUSTER_MONITOR = [
  onCluster(MONITOR),
  everywhere(STATISTICS),
  ...['config', 'local'].map((db) => on(db, '', [...READ, ...STATISTICS])),
  on('', 'system.profile', ['find']),
];
const HOST_MANAGER = [onCluster(MANAGE_HOST), everywhere(['killCursors'])];
const CLUSTER_MANAGER = [
  onCluster(MANAGE_CLUSTER),
  on('config', '', [...READ, 'insert', 'update', 'remove']),
  on('local', '', ['insert', 'update', 'remove']),
];

/** Those of the database admin, which are about all of them. */
const OF_ADMIN: Readonly<Record<string, readonly Privilege[]>> = {
  readAnyDatabase: [everywhere(READ), LISTS_DATABASES],
  readWriteAnyDatabase: [everywhere([...READ, ...WRITE]), LISTS_DATABASES],
  dbAdminAnyDatabase: [everywhere(ADMINISTER), on('', 'system.profile', PROFILES), LISTS_DATABASES],
  userAdminAnyDatabase: [
    everywhere(ADMINISTER_USERS),
    ...['config', 'local'].map((db) => on(db, '', ADMINISTER_USERS)),
    onCluster(['listDatabases', 'viewUser']),
  ],
  backup: [
    { resource: { anyResource: true }, actions: words('collStats listCollections listIndexes listSearchIndexes') },
    everywhere(['find']),
    ...['config', 'local'].map((db) => on(db, '', ['find'])),
    ...['system.js', 'system.profile', 'system.users'].map((coll) => on('', coll, ['find'])),
    onCluster(['getParameter', 'listDatabases', 'serverStatus']),
  ],
  restore: [
    onCluster(['getParameter', 'applyOps']),
    { resource: { anyResource: true }, actions: ['listCollections'] },
    everywhere([...RESTORE, ...ADMINISTER_USERS]),
    ...['config', 'local'].map((db) => on(db, '', RESTORE)),
  ],
  clusterMonitor: CLUSTER_MONITOR,
  clusterManager: CLUSTER_MANAGER,
  hostManager: HOST_MANAGER,
  clusterAdmin: [...CLUSTER_MONITOR, ...HOST_MANAGER, ...CLUSTER_MANAGER, everywhere(['dropDatabase'])],
  root: [{ resource: { anyResource: true }, actions: [ANY_ACTION] }],
  __system: [{ resource: { anyResource: true }, actions: [ANY_ACTION] }],
};

/** What a built-in role of a database allows; undefined for a name that is none. */
export function builtInPrivileges(role: string, db: string): readonly Privilege[] | undefined {
  if (db === 'admin' && Object.hasOwn(OF_ADMIN, role)) return OF_ADMIN[role];
  const actions = Object.hasOwn(OF_DATABASE, role) ? OF_DATABASE[role]! : undefined;
  if (!actions) return undefined;
  const privileges: Privilege[] = [{ resource: { db, coll: '' }, actions }];
  if (actions.includes('enableProfiler')) privileges.push(on(db, 'system.profile', PROFILES));
  return privileges;
}
