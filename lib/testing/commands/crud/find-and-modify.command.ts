import { CommandError } from '../../errors.js';
import { encodeDoc } from '../../bson/encode.js';
import type { Doc } from '../../bson/value.js';
import type { QueryEnv } from '../../query/env.js';
import { compileProjection } from '../../query/projection.js';
import { boolArgument, docArgument } from '../arguments.js';
import type { Command } from '../command.js';
import type { Operation } from '../operation.js';
import { fieldsOf, int, reply } from '../reply.js';
import type { ReplyDoc } from '../reply.js';
import { compileDocumentUpdate, insertUpserted, updateRecord, upsertedDocument } from './document-update.js';
import { hintOf } from './find.command.js';
import { firstOf, matchRecords } from './match-records.js';
import { namespaceOf } from './namespace-argument.js';
import { queryEnv } from './query-env.js';
import { stmtIdOf } from './statements.js';
import { arrayFiltersOf } from './update.command.js';
import { runWrite } from './write.js';

const EMPTY: Doc = new Map();

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
    hint: 'objectOrString',
    let: 'object',
    stmtId: 'exactInt',
  },
  async run(op) {
    checkCombination(op);
    const stmtId = stmtIdOf(op, 0);
    const known = stmtId === undefined ? undefined : op.session?.retryableWrites.find(stmtId)?.reply;
    if (known) return new Map([...known, ['retriedStmtId', int(stmtId!)]]);
    const pending = modify(op);
    const answer = pending instanceof Promise ? await pending : pending;
    if (stmtId !== undefined) op.session?.retryableWrites.record(stmtId, { n: 1, reply: new Map(answer) });
    return answer;
  },
};

function checkCombination({ args }: Operation): void {
  const isRemove = boolArgument(args, 'remove');
  if (isRemove && args.has('update')) {
    throw new CommandError('FailedToParse', "Cannot specify both an 'update' and 'remove'=true");
  }
  if (isRemove && boolArgument(args, 'upsert')) {
    throw new CommandError('FailedToParse', "Cannot specify both 'upsert'=true and 'remove'=true");
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

function modify(op: Operation): ReplyDoc | Promise<ReplyDoc> {
  const { args, server } = op;
  const { catalog } = server.storage;
  const ns = namespaceOf(op);
  const filter = docArgument(args, 'query') ?? EMPTY;
  const isValidationBypassed = boolArgument(args, 'bypassDocumentValidation');
  return runWrite(op, (unit) => {
    const existing = catalog.collection(ns, unit);
    const env = queryEnv(op, { collation: docArgument(args, 'collation'), collection: existing });
    const show = projector(op, env, filter);
    const options = { filter, sort: docArgument(args, 'sort'), hint: hintOf(args) };
    const [record] = existing ? firstOf(matchRecords(existing, unit, env, options)) : [];
    if (boolArgument(args, 'remove')) {
      if (!record || !existing) return removedReply(null);
      unit.remove(existing, record.id);
      return removedReply(show(record.doc, record.bytes));
    }
    const update = compileDocumentUpdate(
      { filter, update: args.get('update'), arrayFilters: arrayFiltersOf(args) },
      env,
    );
    if (record && existing) {
      const { doc } = updateRecord({ unit, collection: existing, isValidationBypassed }, record, update);
      const value = boolArgument(args, 'new') ? show(doc) : show(record.doc, record.bytes);
      return reply({ lastErrorObject: fieldsOf({ n: int(1), updatedExisting: true }), value });
    }
    if (!boolArgument(args, 'upsert')) {
      return reply({ lastErrorObject: fieldsOf({ n: int(0), updatedExisting: false }), value: null });
    }
    const doc = upsertedDocument(filter, update);
    const bytes = insertUpserted({ unit, collection: catalog.collectionForWrite(unit, ns), isValidationBypassed }, doc);
    const lastErrorObject = fieldsOf({ n: int(1), updatedExisting: false, upserted: doc.get('_id') });
    return reply({ lastErrorObject, value: boolArgument(args, 'new') ? show(doc, bytes) : null });
  });
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
