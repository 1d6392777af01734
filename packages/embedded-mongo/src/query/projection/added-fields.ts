import { type Doc, isDoc } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { QueryEnv } from '../env.js';
import { compileExpression } from '../expression.js';
import { parseFieldPath } from '../expression/field-path.js';
import { addNode, type Branch, branch } from './node.js';

/** Reads the specification of `$addFields`: every leaf of it is an expression. */
export function addedFields(spec: Doc, env: QueryEnv): Branch {
  const root = branch();
  const visit = (fields: Doc, above: readonly string[]): void => {
    for (const [field, value] of fields) {
      const path = [...above, ...parseFieldPath(field)];
      const [first] = isDoc(value) ? value.keys() : [];
      if (isDoc(value) && first?.startsWith('$') && value.size > 1) throw severalOperators(value, path);
      if (isDoc(value) && first !== undefined && !first.startsWith('$')) visit(value, path);
      else addNode(root, path, { kind: 'compute', compute: compileExpression(value, env) }, path.join('.'));
    }
  };
  visit(spec, []);
  return root;
}

/** The error of an expression in a projection with more than its operator in it. */
const severalOperators = (spec: Doc, path: readonly string[]): CommandError =>
  new CommandError(
    40181,
    `an expression specification must contain exactly one field, the name of the expression. Found ${spec.size} fields in ${path.join('.')}`,
  );
