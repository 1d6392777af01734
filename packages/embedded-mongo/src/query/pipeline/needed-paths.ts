import { isDoc, type Value } from '../../bson/value.js';

/**
 * The paths of a document that a stage reads, when it is one that makes new documents of plain field paths and
 * constants: `$count`, and `$group` as drivers count with it. Undefined for any other: that may need all.
 */
export function neededPaths(stage: Value | undefined): readonly string[] | undefined {
  const [entry] = isDoc(stage) ? stage : [];
  if (!entry) return undefined;
  const [name, spec] = entry;
  if (name === '$count') return [];
  if (name !== '$group' || !isDoc(spec)) return undefined;
  const paths: string[] = [];
  for (const [field, value] of spec) {
    const operands = field === '_id' ? [value] : isDoc(value) ? [...value.values()] : [];
    for (const operand of operands) {
      if (typeof operand === 'string' && operand.startsWith('$')) {
        if (operand.startsWith('$$')) return undefined;
        paths.push(operand.slice(1));
      } else if (Array.isArray(operand) || (isDoc(operand) && operand.size > 0)) return undefined;
    }
  }
  return paths;
}
