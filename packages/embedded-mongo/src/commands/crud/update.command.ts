import { CommandError } from '../../errors.js';
import type { Doc } from '../../bson/value.js';
import { isDoc } from '../../bson/value.js';
import type { Namespace } from '../../storage/namespace.js';
import { ArgumentParser, arrayArgument, boolArgument, docArgument } from '../arguments.js';
import type { WriteUnit } from '../../storage/write-unit.js';
import type { Command } from '../command.js';
import type { Operation } from '../operation.js';
import { fieldsOf, int, reply } from '../reply.js';
import type { StatementResult } from '../session/retryable-writes.js';
import type { Match } from '../../storage/plan/stage.js';
import { WriteConflict } from '../../storage/write-conflict.js';
import {
  compileDocumentUpdate,
  type DocumentUpdate,
  insertUpserted,
  updateRecord,
  type UpdateTarget,
  upsertedDocument,
} from './document-update.js';
import { checkBatchSize } from './insert.command.js';
import { queryEnv } from './query-env.js';
import { checkTimeSeriesUpdate, checkTimeSeriesWrite } from '../time-series/restrictions.js';
import { Search, searching } from './search.js';
import { explainStatement, statementRequest } from './statement-plan.js';
import { batchFields, runStatements, upsertedOf, WRITE_BATCH_ARGUMENTS } from './statements.js';
import { runWrite } from './write.js';
import { writeNamespaceOf } from './write-namespace.js';

const STATEMENT = new ArgumentParser('update.updates', {
  q: 'object!',
  u: 'any!',
  c: 'object',
  multi: 'bool',
  upsert: 'bool',
  upsertSupplied: 'bool',
  collation: 'object',
  arrayFilters: 'array',
  hint: 'any',
  sampleId: 'binData',
});

export const update: Command = {
  name: 'update',
  isInApiV1: true,
  isAllowedInTransaction: true,
  isRetryableWrite: true,
  isWrite: true,
  args: {
    update: 'any',
    updates: 'array!',
    let: 'object',
    ...WRITE_BATCH_ARGUMENTS,
  },
  async run(op) {
    const ns = writeNamespaceOf(op);
    const statements = arrayArgument(op.args, 'updates')!.map((statement) => parseStatement(op, statement));
    checkBatchSize(statements.length);
    const outcome = await runStatements(op, statements.length, boolArgument(op.args, 'ordered', true), (index) =>
      updateMatching(op, ns, statements[index]!),
    );
    const { results } = outcome;
    const upserted = results.flatMap(({ index, result }) =>
      result.upserted ? [upsertedOf(index, result.upserted)] : [],
    );
    return reply({
      n: int(results.reduce((sum, { result }) => sum + result.n, 0)),
      upserted: upserted.length > 0 ? upserted : undefined,
      nModified: int(results.reduce((sum, { result }) => sum + (result.nModified ?? 0), 0)),
      ...batchFields(outcome),
    });
  },
  explain: (op, hasStats) => explainStatement(op, hasStats, 'updates', 'UPDATE'),
};

/** An update of several documents that one of them ended: those before it stay changed. */
interface Ended extends StatementResult {
  readonly failure?: CommandError;
}

function orFailed({ failure, ...result }: Ended): StatementResult {
  if (failure) throw failure;
  return result;
}

function updateAll(op: Operation, target: UpdateTarget, records: readonly Match[], update: DocumentUpdate): Ended {
  let nModified = 0;
  try {
    for (const record of records) if (updateRecord(target, record, update).isModified) nModified++;
  } catch (failure) {
    const isOwn = failure instanceof CommandError && !(failure instanceof WriteConflict);
    if (!isOwn || op.isInTransaction) throw failure;
    return { n: 0, nModified, failure };
  }
  return { n: records.length, nModified };
}

function parseStatement(op: Operation, statement: unknown): Doc {
  if (!isDoc(statement)) throw new CommandError('TypeMismatch', "BSON field 'update.updates' has to hold objects");
  STATEMENT.check(statement);
  if (boolArgument(statement, 'multi') && op.generic.txnNumber !== undefined && !op.isInTransaction) {
    throw new CommandError('InvalidOptions', 'Cannot use (or request) retryable writes with multi=true');
  }
  if (statement.has('c') && !Array.isArray(statement.get('u'))) {
    throw new CommandError(51198, 'Constant values may only be specified for pipeline updates');
  }
  return statement;
}

export function arrayFiltersOf(args: Doc): Doc[] | undefined {
  return arrayArgument(args, 'arrayFilters')?.map((filter, i) => {
    if (isDoc(filter)) return filter;
    throw new CommandError('TypeMismatch', `BSON field 'arrayFilters.${i}' is the wrong type, expected type 'object'`);
  });
}

function updateMatching(op: Operation, ns: Namespace, statement: Doc): StatementResult | Promise<StatementResult> {
  const { catalog } = op.server.storage;
  const filter = docArgument(statement, 'q')!;
  const isMulti = boolArgument(statement, 'multi');
  const isUpsert = boolArgument(statement, 'upsert');
  const spec = { filter, update: statement.get('u'), arrayFilters: arrayFiltersOf(statement), isMulti, isUpsert };
  const isValidationBypassed = boolArgument(op.args, 'bypassDocumentValidation');
  const write =
    (search: Search) =>
    (unit: WriteUnit): Ended => {
      const collation = docArgument(statement, 'collation');
      const existing = catalog.collection(ns, unit);
      const env = queryEnv(op, { collation, collection: existing, constants: docArgument(statement, 'c') });
      const compiled = compileDocumentUpdate(spec, env);
      if (existing) {
        checkTimeSeriesWrite(existing, op.isInTransaction);
        checkTimeSeriesUpdate(existing, spec);
        const target = { unit, collection: existing, isValidationBypassed };
        const records = search.records(existing, unit, env, statementRequest(statement), isUpsert);
        if (records.length > 0) return updateAll(op, target, records, compiled);
      }
      if (!isUpsert) return { n: 0, nModified: 0 };
      const doc = upsertedDocument(filter, compiled);
      const collection = catalog.collectionForWrite(unit, ns);
      insertUpserted({ unit, collection, isValidationBypassed }, doc);
      return { n: 1, nModified: 0, upserted: fieldsOf({ _id: doc.get('_id') }) };
    };
  const pending = searching(op, new Search(!isMulti), (search) => runWrite(op, write(search)));
  return pending instanceof Promise ? pending.then(orFailed) : orFailed(pending);
}
