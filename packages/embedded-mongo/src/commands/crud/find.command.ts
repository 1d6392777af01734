import { PAUSE } from '../../bson/pause.js';
import { CommandError, inContext } from '../../errors.js';
import { encodeDoc } from '../../bson/encode.js';
import type { Doc } from '../../bson/value.js';
import { metadataOf, QueryMetadata } from '../../query/metadata.js';
import { compileProjection } from '../../query/projection.js';
import { timestampOf } from '../../storage/clock.js';
import { nsString } from '../../storage/namespace.js';
import { boolArgument, countArgument, docArgument } from '../arguments.js';
import type { Command } from '../command.js';
import type { DocumentSource } from '../cursor/client-cursor.js';
import { openCursor } from '../cursor/open-cursor.js';
import { findMade } from '../system/find-made.js';
import { isMadeWhenRead } from '../system/system-collections.js';
import { TailableSource } from '../cursor/tailable-source.js';
import { planQuery } from '../../storage/plan/planner.js';
import type { PlanRequest } from '../../storage/plan/plan-request.js';
import { explainQuery } from './explain-query.js';
import { hintOf } from './hint.js';
import { namespaceOf } from './namespace-argument.js';
import { queryEnv } from './query-env.js';
import { keyProjection, metadataWriter } from './match-metadata.js';
import { openReadView } from './read-view.js';
import { findInView } from './view-query.js';

const EMPTY: Doc = new Map();

export const find: Command = {
  name: 'find',
  parsedAs: 'FindCommandRequest',
  isInApiV1: true,
  isAllowedInTransaction: true,
  takesReadConcern: true,
  args: {
    find: 'any',
    filter: 'ownedObject',
    projection: 'ownedObject',
    sort: 'ownedObject',
    hint: 'any',
    collation: 'object',
    skip: 'number',
    limit: 'number',
    batchSize: 'number',
    singleBatch: 'optionalBool',
    allowDiskUse: 'safeBool',
    min: 'ownedObject',
    max: 'ownedObject',
    returnKey: 'optionalBool',
    showRecordId: 'optionalBool',
    tailable: 'optionalBool',
    oplogReplay: 'safeBool',
    noCursorTimeout: 'optionalBool',
    awaitData: 'optionalBool',
    allowPartialResults: 'optionalBool',
    readOnce: 'bool',
    let: 'object',
    term: 'any',
  },
  run(op) {
    const { args, server } = op;
    checkTailable(args);
    const ns = namespaceOf(op);
    const { view, snapshot } = openReadView(op);
    const entry = server.storage.catalog.find(ns, view);
    const request = planRequestOf(args);
    if (isMadeWhenRead(ns))
      return findMade(op, ns, request, queryEnv(op, { collation: docArgument(args, 'collation') }));
    if (entry?.kind === 'view') return findInView(op, request);
    const collation = docArgument(args, 'collation');
    const metadata = new QueryMetadata(metadataOf(request.filter));
    const env = queryEnv(op, { collation, collection: entry, metadata });
    const projection = docArgument(args, 'projection');
    const project = projection && projection.size > 0 ? compileProjection(projection, env, request.filter) : undefined;
    const options = {
      batchSize: countArgument(args, 'batchSize'),
      isSingleBatch: boolArgument(args, 'singleBatch'),
      noTimeout: boolArgument(args, 'noCursorTimeout'),
    };
    if (entry && boolArgument(args, 'tailable')) {
      const tail = new TailableSource(server.storage, entry, request, env, project);
      return openCursor(op, nsString(ns), tail, { ...options, isAwaitData: boolArgument(args, 'awaitData') });
    }
    const showsRecordId = boolArgument(args, 'showRecordId') && !boolArgument(args, 'returnKey');
    const returnsKey = boolArgument(args, 'returnKey');
    const plan = planQuery(entry, returnsKey || !projection ? request : { ...request, projection }, env);
    const show = returnsKey ? keyProjection(plan) : project;
    if (metadata.wanted.has('sortKey') && !request.sort?.size) {
      throw new CommandError('BadValue', 'cannot use sortKey $meta projection without a sort');
    }
    const note = metadata.wanted.size > 0 ? metadataWriter(metadata, plan, request.sort, env) : undefined;
    const matches = plan.runInTurns(view);
    const source: DocumentSource = {
      next() {
        if (entry?.isDropped) throw new CommandError('QueryPlanKilled', `collection dropped: ${nsString(ns)}`);
        try {
          const { value: match, done } = matches.next();
          if (done) return undefined;
          if (match === PAUSE) return PAUSE;
          if (!show && !showsRecordId) return match.bytes;
          note?.(match);
          const shown = show ? show(match.doc) : match.doc;
          return encodeDoc(showsRecordId ? new Map([...shown, ['$recordId', BigInt(match.id)]]) : shown);
        } catch (error) {
          throw inContext(error, `Executor error during find command: ${nsString(ns)}`);
        }
      },
      close() {
        matches.return(undefined);
        snapshot?.release();
      },
      ...(snapshot && { batchFields: () => ({ atClusterTime: timestampOf(snapshot.tick) }) }),
    };
    return openCursor(op, nsString(ns), source, options);
  },
  explain: (op, hasStats) => {
    const request = { ...planRequestOf(op.args), projection: docArgument(op.args, 'projection') };
    return explainQuery(op, hasStats, request, docArgument(op.args, 'collation'));
  },
};

function checkTailable(args: Doc): void {
  if (boolArgument(args, 'awaitData') && !boolArgument(args, 'tailable')) {
    throw new CommandError('FailedToParse', "Cannot set 'awaitData' without also setting 'tailable'");
  }
  if (boolArgument(args, 'tailable') && docArgument(args, 'sort')?.size) {
    throw new CommandError('BadValue', 'cannot use tailable option with a sort other than {$natural: 1}');
  }
}

/** What a find asks the planner for. */
function planRequestOf(args: Doc): PlanRequest {
  return {
    filter: docArgument(args, 'filter') ?? EMPTY,
    sort: docArgument(args, 'sort'),
    skip: countArgument(args, 'skip'),
    limit: countArgument(args, 'limit'),
    hint: hintOf(args),
    min: docArgument(args, 'min'),
    max: docArgument(args, 'max'),
  };
}
