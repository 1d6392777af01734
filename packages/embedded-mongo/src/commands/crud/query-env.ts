import { parseCollation } from '../../bson/collation.js';
import type { Doc, Value } from '../../bson/value.js';
import type { QueryEnv } from '../../query/env.js';
import { compileDocExpression } from '../../query/expression.js';
import type { QueryMetadata } from '../../query/metadata.js';
import { timestampOf } from '../../storage/clock.js';
import type { Collection } from '../../storage/collection.js';
import { docArgument } from '../arguments.js';
import type { Operation } from '../operation.js';

export interface QueryEnvOptions {
  /** Of the statement, if it names one. */
  readonly collation?: Doc | undefined;
  /** Whose default collation counts otherwise. */
  readonly collection?: Collection | undefined;
  /** Variables beside the command's `let`, such as those of an update statement's `c`. */
  readonly constants?: Doc | undefined;
  /** What the documents found carry besides their fields. */
  readonly metadata?: QueryMetadata;
}

/** What filters, updates and expressions of this operation are compiled with. */
export function queryEnv(
  op: Operation,
  { collation, collection, constants, metadata }: QueryEnvOptions = {},
): QueryEnv {
  // An empty one counts as none.
  const collationSpec = collation?.size ? collation : collection && docArgument(collection.options, 'collation');
  const plain: QueryEnv = {
    collation: parseCollation(collationSpec),
    now: op.now,
    clusterTime: timestampOf(op.server.storage.clock.now),
    timeLeft: op.timeLeft,
    allowsWhere: true,
    ...(metadata && { metadata }),
  };
  const lets = docArgument(op.args, 'let');
  if (!lets && !constants) return plain;
  const variables = new Map<string, Value>();
  for (const [name, expression] of lets ?? []) {
    variables.set(name, compileDocExpression(expression, plain)(new Map()) ?? null);
  }
  for (const [name, value] of constants ?? []) variables.set(name, value);
  return { ...plain, variables };
}
