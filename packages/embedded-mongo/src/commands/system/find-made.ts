import { encodeDoc } from '../../bson/encode.js';
import { isNumeric, toNumber } from '../../bson/number.js';
import type { Doc } from '../../bson/value.js';
import type { QueryEnv } from '../../query/env.js';
import { compileFilter } from '../../query/filter.js';
import { compileProjection } from '../../query/projection.js';
import { sortDocs, sortOrder } from '../../query/sort.js';
import { type Namespace, nsString } from '../../storage/namespace.js';
import type { PlanRequest } from '../../storage/plan/plan-request.js';
import { boolArgument, countArgument, docArgument } from '../arguments.js';
import { openCursor, sourceOf } from '../cursor/open-cursor.js';
import { startOf } from '../oplog/oplog.js';
import { OplogTail } from '../oplog/oplog-tail.source.js';
import type { Operation } from '../operation.js';
import type { ReplyDoc } from '../reply.js';
import { readMade } from './system-collections.js';
import { checkInterrupt } from '../../bson/work.js';

/** A find in a collection that is made when it is read; the oplog may be tailed. */
export function findMade(
  op: Operation,
  ns: Namespace,
  request: PlanRequest,
  env: QueryEnv,
): ReplyDoc | Promise<ReplyDoc> {
  const { args, server } = op;
  const { filter, sort, skip = 0, limit = 0 } = request;
  const matches = compileFilter(filter, env);
  const from = startOf(filter);
  const projection = docArgument(args, 'projection');
  const project = projection?.size ? compileProjection(projection, env, filter) : undefined;
  const options = { batchSize: countArgument(args, 'batchSize'), isSingleBatch: boolArgument(args, 'singleBatch') };
  if (boolArgument(args, 'tailable')) {
    const tail = new OplogTail(server, from, matches, project);
    return openCursor(op, nsString(ns), tail, { ...options, isAwaitData: boolArgument(args, 'awaitData') });
  }
  const natural = sort?.get('$natural');
  const order = sort?.size && natural === undefined ? sortOrder(sort, env) : undefined;
  const isReversed = isNumeric(natural) && toNumber(natural) < 0;
  const found = function* (): Generator<Uint8Array> {
    let docs: Iterable<Doc> = filtered(readMade(server, ns, { from, isReversed }), matches);
    if (order) docs = sortDocs(docs, order);
    let place = 0;
    for (const doc of docs) {
      checkInterrupt();
      if (++place <= skip) continue;
      yield encodeDoc(project ? project(doc) : doc);
      if (limit > 0 && place >= skip + limit) return;
    }
  };
  return openCursor(op, nsString(ns), sourceOf(found()), options);
}

function* filtered(docs: Iterable<Doc>, matches: (doc: Doc) => boolean): Generator<Doc> {
  for (const doc of docs) if (matches(doc)) yield doc;
}
