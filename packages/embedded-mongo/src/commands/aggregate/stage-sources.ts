import { CommandError } from '../../errors.js';
import type { Doc, Value } from '../../bson/value.js';
import { isDoc } from '../../bson/value.js';
import type { PipelineNamespace } from '../../query/env.js';
import type { Collection } from '../../storage/collection.js';
import { nsString } from '../../storage/namespace.js';
import type { ReadView } from '../../storage/read-view.js';
import { ArgumentParser, countArgument } from '../arguments.js';
import { describeOperations } from '../diagnostics/current-op.command.js';
import { collectionStats } from '../diagnostics/stats.commands.js';
import type { Operation } from '../operation.js';
import { fieldsOf, int, long } from '../reply.js';

type StageSource = (
  op: Operation,
  spec: Doc,
  collection: Collection | undefined,
  ns: PipelineNamespace,
) => Iterable<Doc>;

const COLL_STATS = new ArgumentParser('$collStats', {
  latencyStats: 'object',
  storageStats: 'object',
  count: 'object',
  queryExecStats: 'object',
});

const STORAGE_STATS = new ArgumentParser('$collStats.storageStats', {
  scale: 'number',
  verbose: 'safeBool',
  waitForLock: 'safeBool',
  numericOnly: 'safeBool',
});

const collStats: StageSource = (op, spec, collection, { db, coll = '' }) => {
  COLL_STATS.check(spec);
  const ns = nsString({ db, coll });
  const storageStats = spec.get('storageStats');
  if (isDoc(storageStats)) STORAGE_STATS.check(storageStats);
  const scale = isDoc(storageStats) ? (countArgument(storageStats, 'scale', 1) ?? 1) : 1;
  const missing = collection ? undefined : ['storageStats', 'count'].find((part) => spec.has(part));
  if (missing) {
    throw new CommandError(
      'NamespaceNotFound',
      `Unable to retrieve ${missing} in $collStats stage :: caused by :: Collection [${ns}] not found.`,
    );
  }
  const noLatency = (): Doc => fieldsOf({ latency: long(0), ops: long(0) });
  return [
    fieldsOf({
      ns,
      host: op.server.topology.host,
      localTime: new Date(),
      latencyStats: spec.has('latencyStats')
        ? fieldsOf({ reads: noLatency(), writes: noLatency(), commands: noLatency(), transactions: noLatency() })
        : undefined,
      storageStats: storageStats === undefined ? undefined : collectionStats(collection, scale),
      count: spec.has('count') ? int(collection!.count) : undefined,
      queryExecStats: spec.has('queryExecStats')
        ? fieldsOf({ collectionScans: fieldsOf({ total: long(0), nonTailable: long(0) }) })
        : undefined,
    }),
  ];
};

const indexStats: StageSource = (op, _spec, collection) =>
  collection?.indexes.list().map(({ spec, accesses, since }) =>
    fieldsOf({
      name: spec.name,
      key: spec.key,
      host: op.server.topology.host,
      accesses: fieldsOf({ ops: accesses, since }),
      spec: spec.doc,
    }),
  ) ?? [];

/** Everybody's if asked for, otherwise one's own. */
const sessions: StageSource = ({ server, client }, spec) =>
  [...server.sessions.all]
    .filter(({ owner }) => owner === client.owner || spec.get('allUsers') === true || spec.has('users'))
    .map(({ lsid, lastUseMS }) => fieldsOf({ _id: lsid, lastUse: new Date(lastUseMS) }));

const SOURCES: Readonly<Record<string, StageSource>> = {
  $collStats: collStats,
  $indexStats: indexStats,
  $listSessions: sessions,
  $listLocalSessions: sessions,
  $currentOp: (op, spec) =>
    describeOperations(op.server, {
      owner: spec.get('allUsers') === true ? undefined : op.client.owner || undefined,
      connections: spec.get('idleConnections') === true,
      sessions: spec.get('idleSessions') !== false,
      cursors: spec.get('idleCursors') === true,
    }),
  $planCacheStats: () => [],
};

/** The documents of a stage that makes its own. @throws CommandError for one this server does not have */
export function stageSource(
  op: Operation,
  view: ReadView,
  stage: string,
  spec: Value,
  ns: PipelineNamespace,
): Iterable<Doc> {
  const source = SOURCES[stage];
  if (!source) throw new CommandError('CommandNotSupported', `${stage} is not supported by the embedded MongoDB`);
  const collection =
    ns.coll === undefined ? undefined : op.server.storage.catalog.collection({ db: ns.db, coll: ns.coll }, view);
  return source(op, isDoc(spec) ? spec : new Map(), collection, ns);
}
