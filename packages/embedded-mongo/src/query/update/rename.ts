import { formatField } from '../../bson/format.js';
import type { Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { ElementFilter } from './array-filters.js';
import { addNode, checkPath, type Branch } from './tree.js';

const bad = (message: string): CommandError => new CommandError('BadValue', message);
const isDynamic = (path: string): boolean => path.split('.').some((part) => part === '$' || part.startsWith('$['));

/** Puts a `$rename` into the tree, at its source and at its target. */
export function addRename(
  root: Branch,
  from: string,
  operand: Value,
  filters: ReadonlyMap<string, ElementFilter>,
): void {
  checkPath(from);
  const shown = formatField(from, operand);
  if (typeof operand !== 'string') throw bad(`The 'to' field for $rename must be a string: ${shown}`);
  if (operand.includes('\0')) throw bad("The 'to' field for $rename cannot contain an embedded null byte");
  checkPath(operand);
  if (from === operand) throw bad(`The source and target field for $rename must differ: ${shown}`);
  if (operand.startsWith(`${from}.`) || from.startsWith(`${operand}.`)) {
    throw bad(`The source and target field for $rename must not be on the same path: ${shown}`);
  }
  if (isDynamic(from)) throw bad(`The source field for $rename may not be dynamic: ${from}`);
  if (isDynamic(operand)) throw bad(`The destination field for $rename may not be dynamic: ${operand}`);
  addNode(root, from, { kind: 'rename', from: undefined }, filters);
  addNode(root, operand, { kind: 'rename', from }, filters);
}
