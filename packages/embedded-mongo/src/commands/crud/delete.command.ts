import { CommandError } from '../../errors.js';
import type { Doc } from '../../bson/value.js';
import { isDoc } from '../../bson/value.js';
import type { Namespace } from '../../storage/namespace.js';
import { ArgumentParser, arrayArgument, boolArgument, docArgument, integerArgument } from '../arguments.js';
import { valueText } from '../../storage/value-text.js';
import type { WriteUnit } from '../../storage/write-unit.js';
import type { Command } from '../command.js';
import type { Operation } from '../operation.js';
import { int, reply } from '../reply.js';
import type { StatementResult } from '../session/retryable-writes.js';
import { checkBatchSize } from './insert.command.js';
import { queryEnv } from './query-env.js';
import { checkTimeSeriesWrite } from '../time-series/restrictions.js';
import { Search, searching } from './search.js';
import { explainStatement, statementRequest } from './statement-plan.js';
import { batchFields, runStatements, WRITE_BATCH_ARGUMENTS } from './statements.js';
import { runWrite } from './write.js';
import { writeNamespaceOf } from './write-namespace.js';

const STATEMENT = new ArgumentParser('delete.deletes', {
  q: 'object!',
  limit: 'any!',
  collation: 'object',
  hint: 'any',
  sampleId: 'binData',
});

export const deleteCommand: Command = {
  name: 'delete',
  isInApiV1: true,
  isAllowedInTransaction: true,
  isRetryableWrite: true,
  isWrite: true,
  args: {
    delete: 'any',
    deletes: 'array!',
    let: 'object',
    ...WRITE_BATCH_ARGUMENTS,
  },
  async run(op) {
    const ns = writeNamespaceOf(op);
    const statements = arrayArgument(op.args, 'deletes')!.map((statement) => parseStatement(op, statement));
    checkBatchSize(statements.length);
    const outcome = await runStatements(op, statements.length, boolArgument(op.args, 'ordered', true), (index) =>
      deleteMatching(op, ns, statements[index]!),
    );
    const n = outcome.results.reduce((sum, { result }) => sum + result.n, 0);
    return reply({ n: int(n), ...batchFields(outcome) });
  },
  explain: (op, hasStats) => explainStatement(op, hasStats, 'deletes', 'DELETE'),
};

function parseStatement(op: Operation, statement: unknown): Doc {
  if (!isDoc(statement)) throw new CommandError('TypeMismatch', "BSON field 'delete.deletes' has to hold objects");
  STATEMENT.check(statement);
  const limit = Number(statement.get('limit'));
  if (limit !== 0 && limit !== 1) {
    throw new CommandError(
      'FailedToParse',
      `The limit field in delete objects must be 0 or 1. Got ${valueText(statement.get('limit')!)}`,
    );
  }
  if (limit === 0 && op.generic.txnNumber !== undefined && !op.isInTransaction) {
    throw new CommandError('InvalidOptions', 'Cannot use (or request) retryable writes with limit=0');
  }
  return statement;
}

function deleteMatching(op: Operation, ns: Namespace, statement: Doc): StatementResult | Promise<StatementResult> {
  const { catalog } = op.server.storage;
  const isSingle = integerArgument(statement, 'limit') === 1;
  const write = (search: Search) => (unit: WriteUnit) => {
    const collection = catalog.collection(ns, unit);
    const env = queryEnv(op, { collation: docArgument(statement, 'collation'), collection });
    if (!collection) return { n: 0 };
    checkTimeSeriesWrite(collection, op.isInTransaction);
    const records = search.records(collection, unit, env, statementRequest(statement), false);
    return { n: records.filter(({ id }) => unit.remove(collection, id)).length };
  };
  return searching(op, new Search(isSingle), (search) => runWrite(op, write(search)));
}
