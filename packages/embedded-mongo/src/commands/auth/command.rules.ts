import { CommandError } from '../../errors.js';
import { isDoc } from '../../bson/value.js';
import { type Namespace, parseNs } from '../../storage/namespace.js';
import { arrayArgument, boolArgument, docArgument, stringArgument } from '../arguments.js';
import { mayRunPipeline } from './pipeline.rules.js';
import { type AuthorizedRequest, type CommandRule, type May, targetOf } from './rule.js';
import { USER_RULES } from './user.rules.js';

/** For everybody who is authenticated: what it shows or ends is its own. */
const forEverybody: CommandRule = () => true;
const onCollection =
  (...actions: string[]): CommandRule =>
  (request, may) =>
    actions.every((action) => may(action, targetOf(request)));
const onDatabase =
  (action: string): CommandRule =>
  ({ db }, may) =>
    may(action, { db });
const onCluster =
  (action: string): CommandRule =>
  (_, may) =>
    may(action, 'cluster');

const mayBypass = ({ args }: AuthorizedRequest, on: Partial<Namespace>, may: May): boolean =>
  !boolArgument(args, 'bypassDocumentValidation') || may('bypassDocumentValidation', on);

/** A view may show only what its maker may read; one he cannot read himself shows him nothing. */
function mayDefineView(request: AuthorizedRequest, may: May): boolean {
  const viewOn = stringArgument(request.args, 'viewOn');
  if (viewOn === undefined || !may('find', targetOf(request))) return true;
  const pipeline = arrayArgument(request.args, 'pipeline') ?? [];
  return mayRunPipeline(pipeline, { db: request.db, coll: viewOn }, may);
}

const create: CommandRule = (request, may) => {
  const on = targetOf(request);
  if (boolArgument(request.args, 'capped') && !may('convertToCapped', on)) return false;
  if (request.args.has('viewOn')) return may('createCollection', on) && mayDefineView(request, may);
  return may('createCollection', on) || may('insert', on);
};

/** A view's collection and pipeline come together: either alone could show more than its owner may see. */
const collMod: CommandRule = (request, may) => {
  if (!may('collMod', targetOf(request))) return false;
  if (request.args.has('viewOn') !== request.args.has('pipeline')) {
    throw new CommandError(
      'InvalidOptions',
      "Must specify both 'viewOn' and 'pipeline' when modifying a view and auth is enabled",
    );
  }
  return mayDefineView(request, may);
};

const update: CommandRule = (request, may) => {
  const on = targetOf(request);
  const upserts = (arrayArgument(request.args, 'updates') ?? []).some(
    (each) => isDoc(each) && boolArgument(each, 'upsert'),
  );
  return may('update', on) && (!upserts || may('insert', on)) && mayBypass(request, on, may);
};

const findAndModify: CommandRule = (request, may) => {
  const { args } = request;
  const on = targetOf(request);
  const isRemoval = boolArgument(args, 'remove');
  return (
    may('find', on) &&
    may(isRemoval ? 'remove' : 'update', on) &&
    (!boolArgument(args, 'upsert') || may('insert', on)) &&
    mayBypass(request, on, may)
  );
};

/** Within a database, no one may read by a new name what he could not by the old one. */
const renameCollection: CommandRule = ({ args }, may) => {
  const [from, to] = ['renameCollection', 'to'].map((field) => parseNs(String(args.get(field)))) as [
    Namespace,
    Namespace,
  ];
  if (from.db === to.db && may('renameCollectionSameDB', { db: from.db })) {
    if (may('find', from) || !may('find', to)) return true;
  }
  return (
    may('find', from) &&
    may('dropCollection', from) &&
    may('insert', to) &&
    may('createIndex', to) &&
    (!boolArgument(args, 'dropTarget') || may('dropCollection', to))
  );
};

const mapReduce: CommandRule = (request, may) => {
  const on = targetOf(request);
  if (!may('find', on)) return false;
  const out = request.args.get('out');
  if (isDoc(out) && out.has('inline')) return true;
  const mode = isDoc(out) ? (['replace', 'merge', 'reduce'].find((name) => out.has(name)) ?? 'replace') : 'replace';
  const coll = isDoc(out) ? out.get(mode) : out;
  const db = isDoc(out) ? stringArgument(out, 'db') : undefined;
  const target = typeof coll === 'string' ? { db: db ?? request.db, coll } : { db: request.db };
  return (
    may('insert', target) && may(mode === 'replace' ? 'remove' : 'update', target) && mayBypass(request, target, may)
  );
};

const listCollections: CommandRule = ({ args, db }, may) =>
  may('listCollections', { db }) || (boolArgument(args, 'authorizedCollections') && boolArgument(args, 'nameOnly'));

const explain: CommandRule = (request, may) => {
  const args = docArgument(request.args, 'explain');
  const [commandName] = args?.keys() ?? [];
  if (!args || commandName === undefined) return true;
  return mayRun({ ...request, name: ALIASES[commandName] ?? commandName, commandName, args }, may);
};

/** What can be explained under another name. */
const ALIASES: Readonly<Record<string, string>> = { findandmodify: 'findAndModify', mapreduce: 'mapReduce' };

/**
 * Who may run which command (manual: Privilege Actions; src/mongo/db/auth/authorization_checks.cpp). A command that is
 * not named here is for those who may do anything.
 */
const RULES: Readonly<Record<string, CommandRule>> = {
  ...USER_RULES,
  abortTransaction: forEverybody,
  aggregate: (request, may) =>
    mayRunPipeline(
      arrayArgument(request.args, 'pipeline') ?? [],
      { ...targetOf(request), db: request.db },
      may,
      boolArgument(request.args, 'bypassDocumentValidation'),
    ),
  authenticate: forEverybody,
  buildInfo: forEverybody,
  cloneCollectionAsCapped: ({ args, db }, may) =>
    may('find', { db, coll: String(args.get('cloneCollectionAsCapped')) }) &&
    may('convertToCapped', { db, coll: String(args.get('toCollection')) }),
  collMod,
  collStats: onCollection('collStats'),
  commitTransaction: forEverybody,
  compact: onCollection('compact'),
  configureFailPoint: onCluster('setParameter'), // MongoDB asks for nothing, but has to be started for tests
  connectionStatus: forEverybody,
  convertToCapped: onCollection('convertToCapped'),
  count: onCollection('find'),
  create,
  createIndexes: onCollection('createIndex'),
  createSearchIndexes: onCollection('createSearchIndexes'),
  currentOp: ({ args }, may) => args.get('$ownOps') === true || may('inprog', 'cluster'),
  dataSize: ({ args }, may) => may('find', parseNs(String(args.get('dataSize')))),
  dbStats: onDatabase('dbStats'),
  delete: onCollection('remove'),
  distinct: onCollection('find'),
  drop: onCollection('dropCollection'),
  dropDatabase: onDatabase('dropDatabase'),
  dropIndexes: onCollection('dropIndex'),
  dropSearchIndex: onCollection('dropSearchIndex'),
  endSessions: forEverybody,
  explain,
  find: onCollection('find'),
  findAndModify,
  fsync: onCluster('fsync'),
  getCmdLineOpts: onCluster('getCmdLineOpts'),
  getDefaultRWConcern: onCluster('getDefaultRWConcern'),
  getLog: onCluster('getLog'),
  getMore: forEverybody,
  getParameter: onCluster('getParameter'),
  hello: forEverybody,
  hostInfo: onCluster('hostInfo'),
  insert: (request, may) => may('insert', targetOf(request)) && mayBypass(request, targetOf(request), may),
  killAllSessions: onCluster('killAnySession'),
  killAllSessionsByPattern: onCluster('killAnySession'),
  killCursors: forEverybody,
  killOp: onCluster('killop'),
  killSessions: forEverybody,
  listCollections,
  listCommands: forEverybody,
  listDatabases: forEverybody,
  listIndexes: onCollection('listIndexes'),
  listSearchIndexes: onCollection('listSearchIndexes'),
  logout: forEverybody,
  mapReduce,
  ping: forEverybody,
  planCacheClear: onCollection('planCacheWrite'),
  profile: ({ args, db }, may) =>
    may('enableProfiler', { db }) || (Number(args.get('profile')) < 0 && may('find', { db, coll: 'system.profile' })),
  reIndex: onCollection('reIndex'),
  refreshSessions: forEverybody,
  renameCollection,
  replSetGetConfig: onCluster('replSetGetConfig'),
  replSetGetStatus: onCluster('replSetGetStatus'),
  saslContinue: forEverybody,
  saslStart: forEverybody,
  serverStatus: onCluster('serverStatus'),
  setParameter: onCluster('setParameter'),
  startSession: forEverybody,
  testVersion2: forEverybody,
  testVersions1And2: forEverybody,
  update,
  updateSearchIndex: onCollection('updateSearchIndex'),
  validate: onCollection('validate'),
  whatsmyuri: forEverybody,
};

/** Whether a command has a rule. */
export const isRuled = (name: string): boolean => Object.hasOwn(RULES, name);

/** Whether a user may run a command. */
export const mayRun: CommandRule = (request, may) =>
  isRuled(request.name) ? RULES[request.name]!(request, may) : may('anyAction', 'cluster');
