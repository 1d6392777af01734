import { isDoc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { PathStep } from './description.js';
import { spend, workOf } from '../../bson/work.js';

/**
 * An outermost name may begin with a dollar only in a document that is inserted; deeper ones may.
 * @throws CommandError for such a name, and for a value nested deeper than 180
 */
export function checkStorable(path: readonly PathStep[], value: Value, isInsert: boolean): void {
  const [step] = path;
  const isOutermost = path.length === 1 && !isInsert;
  if (isOutermost && typeof step === 'string' && step.startsWith('$') && !['$id', '$ref', '$db'].includes(step)) {
    throw new CommandError(
      'DollarPrefixedFieldName',
      `The dollar ($) prefixed field '${step}' in '${path.join('.')}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`,
    );
  }
  if (path.length + depthOf(value) > 180) {
    throw new CommandError('Overflow', 'Document exceeds maximum nesting depth of 180');
  }
}

function depthOf(value: Value): number {
  if (!isDoc(value) && !Array.isArray(value)) return 0;
  spend(workOf(value));
  let deepest = 0;
  for (const child of value.values()) deepest = Math.max(deepest, depthOf(child));
  return deepest + 1;
}
