import { type Doc, isDoc, type Value } from '../../bson/value.js';
import { pipelineWrites } from '../../query/pipeline.js';
import { type Namespace, parseNs } from '../../storage/namespace.js';
import { arrayArgument, boolArgument, docArgument } from '../arguments.js';
import type { Demand } from './privileges.js';

/** The action that a command takes on the collection it names. */
const ON_COLLECTION: Readonly<Record<string, string>> = {
  cloneCollectionAsCapped: 'convertToCapped',
  collMod: 'collMod',
  collStats: 'collStats',
  compact: 'compact',
  convertToCapped: 'convertToCapped',
  count: 'find',
  create: 'createCollection',
  createIndexes: 'createIndex',
  delete: 'remove',
  distinct: 'find',
  drop: 'dropCollection',
  dropIndexes: 'dropIndex',
  find: 'find',
  insert: 'insert',
  listIndexes: 'listIndexes',
  mapReduce: 'find',
  planCacheClear: 'planCacheWrite',
  reIndex: 'reIndex',
  update: 'update',
  validate: 'validate',
};

const ON_DATABASE: Readonly<Record<string, string>> = {
  createRole: 'createRole',
  createUser: 'createUser',
  dbHash: 'dbHash',
  dbStats: 'dbStats',
  dropDatabase: 'dropDatabase',
  dropRole: 'dropRole',
  dropUser: 'dropUser',
  grantRolesToUser: 'grantRole',
  listCollections: 'listCollections',
  profile: 'enableProfiler',
  revokeRolesFromUser: 'revokeRole',
  rolesInfo: 'viewRole',
  updateRole: 'grantRole',
  updateUser: 'changePassword',
  usersInfo: 'viewUser',
};

const ON_CLUSTER: Readonly<Record<string, string>> = {
  currentOp: 'inprog',
  fsync: 'fsync',
  getCmdLineOpts: 'getCmdLineOpts',
  getLog: 'getLog',
  getParameter: 'getParameter',
  hostInfo: 'hostInfo',
  killAllSessions: 'killAnySession',
  killAllSessionsByPattern: 'killAnySession',
  killOp: 'killop',
  replSetGetConfig: 'replSetGetConfig',
  replSetGetStatus: 'replSetGetStatus',
  serverStatus: 'serverStatus',
  setDefaultRWConcern: 'setDefaultRWConcern',
  setParameter: 'setParameter',
};

/** What a command, by its own name, has to be allowed; nothing for those that are for everybody. */
export function demandsOf(name: string, args: Doc, commandName: string, db: string): Demand[] {
  const coll = args.get(commandName);
  const on: Partial<Namespace> = typeof coll === 'string' ? { db, coll } : { db };
  const onCollection = ON_COLLECTION[name];
  if (onCollection) return [{ action: onCollection, on }, ...upsertDemands(args, on)];
  const onDatabase = ON_DATABASE[name];
  if (onDatabase) return [{ action: onDatabase, on: { db } }];
  const onCluster = ON_CLUSTER[name];
  if (onCluster) return [{ action: onCluster, on: 'cluster' }];
  switch (name) {
    case 'aggregate':
      return pipelineDemands(arrayArgument(args, 'pipeline') ?? [], on, db);
    case 'findAndModify':
      return [
        { action: 'find', on },
        { action: boolArgument(args, 'remove') ? 'remove' : 'update', on },
        ...(boolArgument(args, 'upsert') ? [{ action: 'insert', on }] : []),
      ];
    case 'renameCollection':
      return renameDemands(String(args.get('renameCollection')), String(args.get('to')));
    case 'explain': {
      const inner = docArgument(args, 'explain');
      const [of] = inner?.keys() ?? [];
      return inner && of !== undefined ? demandsOf(of === 'findandmodify' ? 'findAndModify' : of, inner, of, db) : [];
    }
    default:
      return [];
  }
}

/** An update that may insert. */
const upsertDemands = (args: Doc, on: Partial<Namespace>): Demand[] =>
  (arrayArgument(args, 'updates') ?? []).some((each) => isDoc(each) && boolArgument(each, 'upsert'))
    ? [{ action: 'insert', on }]
    : [];

/** What the first stage takes instead of reading the collection. */
const SOURCES: Readonly<Record<string, string>> = { $collStats: 'collStats', $indexStats: 'indexStats' };
const CLUSTER_SOURCES: Readonly<Record<string, string>> = { $currentOp: 'inprog', $listSessions: 'listSessions' };
const FOREIGN = ['$lookup', '$graphLookup', '$unionWith'];

function pipelineDemands(stages: readonly Value[], on: Partial<Namespace>, db: string): Demand[] {
  const [first] = stages;
  const [source] = isDoc(first) ? first.keys() : [];
  const ofCluster = source !== undefined ? CLUSTER_SOURCES[source] : undefined;
  if (ofCluster) return [{ action: ofCluster, on: 'cluster' }];
  const demands: Demand[] =
    on.coll === undefined && source !== '$changeStream' ? [] : [{ action: SOURCES[source ?? ''] ?? 'find', on }];
  if (source === '$changeStream') demands.push({ action: 'changeStream', on });
  for (const stage of stages) {
    for (const [name, spec] of isDoc(stage) ? stage : []) {
      const from = isDoc(spec) ? (spec.get('from') ?? spec.get('coll')) : spec;
      if (FOREIGN.includes(name) && typeof from === 'string') demands.push({ action: 'find', on: { db, coll: from } });
      const inner = isDoc(spec) ? spec.get('pipeline') : undefined;
      if (FOREIGN.includes(name) && Array.isArray(inner))
        demands.push(...pipelineDemands(inner, {}, db).filter(({ action }) => action !== 'inprog'));
    }
  }
  const target = pipelineWrites(stages, { db, ...on });
  const last = stages.at(-1);
  const isOut = isDoc(last) && last.has('$out');
  if (target) for (const action of ['insert', isOut ? 'remove' : 'update']) demands.push({ action, on: target });
  return demands;
}

function renameDemands(from: string, to: string): Demand[] {
  const [source, target] = [parseNs(from), parseNs(to)];
  if (source.db === target.db) return [{ action: 'renameCollectionSameDB', on: { db: source.db } }];
  return [
    { action: 'find', on: source },
    { action: 'dropCollection', on: source },
    { action: 'insert', on: target },
    { action: 'createIndex', on: target },
  ];
}
