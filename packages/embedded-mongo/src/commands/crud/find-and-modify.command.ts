import { CommandError, inContext } from '../../errors.js';
import { encodeDoc } from '../../bson/encode.js';
import type { Doc } from '../../bson/value.js';
import type { QueryEnv } from '../../query/env.js';
import { compileProjection } from '../../query/projection.js';
import type { Collection } from '../../storage/collection.js';
import type { Namespace } from '../../storage/namespace.js';
import type { PlanRequest } from '../../storage/plan/plan-request.js';
import type { Match } from '../../storage/plan/stage.js';
import type { WriteUnit } from '../../storage/write-unit.js';
import { boolArgument, docArgument } from '../arguments.js';
import type { Command } from '../command.js';
import type { Operation } from '../operation.js';
import { fieldsOf, int, reply } from '../reply.js';
import type { ReplyDoc } from '../reply.js';
import {
  compileDocumentUpdate,
  type DocumentUpdate,
  insertUpserted,
  updateRecord,
  upsertedDocument,
} from './document-update.js';
import { explainQuery } from './explain-query.js';
import { hintOf } from './hint.js';
import { Search, searching } from './search.js';
import { queryEnv } from './query-env.js';
import { stmtIdOf } from './statements.js';
import { arrayFiltersOf } from './update.command.js';
import { checkTimeSeriesUpdate } from '../time-series/restrictions.js';
import { runWrite } from './write.js';
import { writeNamespaceOf } from './write-namespace.js';

const EMPTY: Doc = new Map();
const CONTEXT = 'Plan executor error during findAndModify';

export const findAndModify: Command = {
  name: 'findAndModify',
  aliases: ['findandmodify'],
  isInApiV1: true,
  isAllowedInTransaction: true,
  isRetryableWrite: true,
  isWrite: true,
  args: {
    findAndModify: 'any',
    query: 'object',
    sort: 'object',
    remove: 'safeBool',
    update: 'any',
    new: 'safeBool',
    fields: 'object',
    upsert: 'safeBool',
    bypassDocumentValidation: 'safeBool',
    collation: 'object',
    arrayFilters: 'array',
    hint: 'any',
    let: 'object',
    stmtId: 'exactInt',
  },
  async run(op) {
    const ns = writeNamespaceOf(op);
    checkCombination(op);
    const stmtId = stmtIdOf(op, 0);
    const known = stmtId === undefined ? undefined : op.session?.retryableWrites.find(stmtId)?.reply;
    if (known) return new Map([...known, ['retriedStmtId', int(stmtId!)]]);
    const pending = modify(op, ns);
    const answer = pending instanceof Promise ? await pending : pending;
    if (stmtId !== undefined) op.session?.retryableWrites.record(stmtId, { n: 1, reply: new Map(answer) });
    return answer;
  },
  explain: (op, hasStats) => {
    const request = { ...requestOf(op.args), limit: 1 };
    const stage = op.args.has('update') ? 'UPDATE' : 'DELETE';
    return explainQuery(op, hasStats, request, docArgument(op.args, 'collation'), stage);
  },
};

/** What it asks the planner for; only the first is taken. */
const requestOf = (args: Doc): PlanRequest => ({
  filter: docArgument(args, 'query') ?? EMPTY,
  sort: docArgument(args, 'sort'),
  hint: hintOf(args),
});

function checkCombination({ args }: Operation): void {
  const isRemove = boolArgument(args, 'remove');
  if (isRemove && args.has('update')) {
    throw new CommandError('FailedToParse', "Cannot specify both an 'update' and 'remove'=true");
  }
  if (isRemove && boolArgument(args, 'upsert')) {
    throw new CommandError('FailedToParse', 'Cannot specify both upsert=true and remove=true ');
  }
  if (isRemove && boolArgument(args, 'new')) {
    throw new CommandError(
      'FailedToParse',
      "Cannot specify both 'new'=true and 'remove'=true; 'remove' always returns the deleted document",
    );
  }
  if (!isRemove && !args.has('update')) {
    throw new CommandError('FailedToParse', 'Either an update or remove=true must be specified');
  }
  if (isRemove && args.has('arrayFilters')) {
    throw new CommandError('FailedToParse', "Cannot specify 'arrayFilters' and 'remove'=true");
  }
}

function modify(op: Operation, ns: Namespace): ReplyDoc | Promise<ReplyDoc> {
  const { args, server } = op;
  const filter = docArgument(args, 'query') ?? EMPTY;
  const write = (search: Search) => (unit: WriteUnit) => {
    const existing = server.storage.catalog.collection(ns, unit);
    const isUpsert = boolArgument(args, 'upsert');
    if (existing && !boolArgument(args, 'remove')) {
      checkTimeSeriesUpdate(existing, { filter, update: args.get('update'), isMulti: false, isUpsert });
    }
    const env = queryEnv(op, { collation: docArgument(args, 'collation'), collection: existing });
    const show = projector(op, env, filter);
    const spec = { filter, update: args.get('update'), arrayFilters: arrayFiltersOf(args), isUpsert };
    const update = boolArgument(args, 'remove') ? undefined : compileDocumentUpdate(spec, env);
    const [record] = existing ? search.records(existing, unit, env, requestOf(args), isUpsert) : [];
    try {
      const found = record && existing && { record, collection: existing };
      return update ? updateOne(op, unit, update, found, show) : removeOne(unit, found, show);
    } catch (error) {
      throw inContext(error, CONTEXT);
    }
  };
  return searching(op, new Search(true, CONTEXT), (search) => runWrite(op, write(search)));
}

interface Found {
  readonly record: Match;
  readonly collection: Collection;
}

function removeOne(unit: WriteUnit, found: Found | undefined, show: Show): ReplyDoc {
  if (!found) return removedReply(null);
  const { record, collection } = found;
  unit.remove(collection, record.id);
  return removedReply(show(record.doc, record.bytes));
}

function updateOne(
  op: Operation,
  unit: WriteUnit,
  update: DocumentUpdate,
  found: Found | undefined,
  show: Show,
): ReplyDoc {
  const { args, server } = op;
  const isNew = boolArgument(args, 'new');
  const isValidationBypassed = boolArgument(args, 'bypassDocumentValidation');
  if (found) {
    const { record, collection } = found;
    const { doc } = updateRecord({ unit, collection, isValidationBypassed }, record, update);
    const value = isNew ? show(doc) : show(record.doc, record.bytes);
    return reply({ lastErrorObject: fieldsOf({ n: int(1), updatedExisting: true }), value });
  }
  if (!boolArgument(args, 'upsert')) {
    return reply({ lastErrorObject: fieldsOf({ n: int(0), updatedExisting: false }), value: null });
  }
  const collection = server.storage.catalog.collectionForWrite(unit, writeNamespaceOf(op));
  const doc = upsertedDocument(docArgument(args, 'query') ?? EMPTY, update);
  const bytes = insertUpserted({ unit, collection, isValidationBypassed }, doc);
  const lastErrorObject = fieldsOf({ n: int(1), updatedExisting: false, upserted: doc.get('_id') });
  return reply({ lastErrorObject, value: isNew ? show(doc, bytes) : null });
}

const removedReply = (value: Uint8Array | null): ReplyDoc =>
  reply({ lastErrorObject: fieldsOf({ n: int(value ? 1 : 0) }), value });

type Show = (doc: Doc, bytes?: Uint8Array) => Uint8Array;

function projector({ args }: Operation, env: QueryEnv, filter: Doc): Show {
  const fields = docArgument(args, 'fields');
  if (!fields || fields.size === 0) return (doc, bytes) => bytes ?? encodeDoc(doc);
  const project = compileProjection(fields, env, filter);
  return (doc) => encodeDoc(project(doc));
}
