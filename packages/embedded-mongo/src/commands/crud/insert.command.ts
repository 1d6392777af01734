import { decodeField } from '../../bson/field.js';
import { CommandError, isInterruption } from '../../errors.js';
import { BatchMemory } from '../../storage/batch-memory.js';
import type { Collection } from '../../storage/collection.js';
import type { WriteUnit } from '../../storage/write-unit.js';
import { boolArgument, docArgument, stringArgument } from '../arguments.js';
import type { Command } from '../command.js';
import { MAX_WRITE_BATCH_SIZE } from '../handshake/limits.js';
import type { Operation } from '../operation.js';
import { int, reply } from '../reply.js';
import { documentToInsert } from './insert-document.js';
import { checkTimeSeriesWrite } from '../time-series/restrictions.js';
import { batchFields, runStatements, stmtIdOf, WRITE_BATCH_ARGUMENTS } from './statements.js';
import { validatorOf } from './validator.js';
import { runWrite } from './write.js';
import { writeNamespaceOf } from './write-namespace.js';

/** Throws if a batch has no statement or too many (code 16). */
export function checkBatchSize(count: number): void {
  if (count > 0 && count <= MAX_WRITE_BATCH_SIZE) return;
  throw new CommandError(
    'InvalidLength',
    `Write batch sizes must be between 1 and ${MAX_WRITE_BATCH_SIZE}. Got ${count} operations.`,
  );
}

export const insert: Command = {
  name: 'insert',
  isInApiV1: true,
  isAllowedInTransaction: true,
  isRetryableWrite: true,
  isWrite: true,
  args: {
    insert: 'any',
    documents: 'array',
    ...WRITE_BATCH_ARGUMENTS,
  },
  async run(op) {
    const { args, documents, server } = op;
    if (!documents) {
      throw new CommandError(40414, "BSON field 'insert.documents' is missing but a required field");
    }
    checkBatchSize(documents.length);
    const ns = writeNamespaceOf(op);
    const isBypassed = boolArgument(args, 'bypassDocumentValidation');
    const memory = new BatchMemory(documents.reduce((sum, { length }) => sum + length, 0));
    const insertOne = (unit: WriteUnit, collection: Collection, document: Uint8Array): void => {
      const bytes = documentToInsert(document, server.storage.clock, memory);
      checkTimeSeriesWrite(collection, op.isInTransaction);
      checkTimeField(collection, bytes);
      if (!isBypassed) validatorOf(collection)?.check(bytes);
      unit.insert(collection, bytes);
    };
    if (documents.length > 1 && !op.isInTransaction && !isRetried(op) && !isFailing(op)) {
      const n = await insertAll(op, documents, (unit) => {
        const collection = server.storage.catalog.collectionForWrite(unit, ns);
        for (const document of documents) insertOne(unit, collection, document);
      });
      if (n !== undefined) return reply({ n: int(n) });
    }
    const outcome = await runStatements(op, documents.length, boolArgument(args, 'ordered', true), (index) =>
      runWrite(op, (unit) => {
        insertOne(unit, server.storage.catalog.collectionForWrite(unit, ns), documents[index]!);
        return { n: 1 };
      }),
    );
    return reply({ n: int(outcome.results.length), ...batchFields(outcome) });
  },
};

/** The fail point counts documents, so that each has to be a write of its own. */
const isFailing = ({ server }: Operation): boolean => server.failPoints.has('onPrimaryTransactionalWrite');

const isRetried = (op: Operation): boolean => {
  const stmtId = stmtIdOf(op, 0);
  return stmtId !== undefined && op.session?.retryableWrites.find(stmtId) !== undefined;
};

/**
 * The whole batch in one unit, which nearly always succeeds.
 * @returns undefined if a document fails: then nothing is written, and each has to be tried on its own
 */
async function insertAll(
  op: Operation,
  documents: readonly Uint8Array[],
  work: (unit: WriteUnit) => void,
): Promise<number | undefined> {
  try {
    const pending = runWrite(op, work);
    if (pending instanceof Promise) await pending;
  } catch (error) {
    if (error instanceof CommandError && !isInterruption(error)) return undefined;
    throw error;
  }
  for (let index = 0; index < documents.length; index++) {
    const stmtId = stmtIdOf(op, index);
    if (stmtId !== undefined) op.session?.retryableWrites.record(stmtId, { n: 1 });
  }
  return documents.length;
}

/** A measurement needs its time. @throws CommandError BadValue */
function checkTimeField({ options }: Collection, bytes: Uint8Array): void {
  const timeseries = docArgument(options, 'timeseries');
  if (!timeseries) return;
  const timeField = stringArgument(timeseries, 'timeField')!;
  if (decodeField(bytes, timeField) instanceof Date) return;
  throw new CommandError('BadValue', `'${timeField}' must be present and contain a valid BSON UTC datetime value`);
}
