import { formatField } from '../../bson/format.js';
import type { Doc, Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { PathStep } from './description.js';

/** `$[]` or `$[name]` on what is no array. */
export const notAnArray = (name: string, value: Value): CommandError =>
  new CommandError('BadValue', `Cannot apply array updates to non-array element ${formatField(name, value)}`);

/** `$[]` or `$[name]` on a field that is not there. */
export const pathMissing = (path: readonly PathStep[]): CommandError =>
  new CommandError(
    'BadValue',
    `The path '${path.join('.')}' must exist in the document in order to apply array updates.`,
  );

/**
 * A path that leads through what has no such field.
 * @param element the value in the way, by its name @param path where that is @param creates whether the field was to be made
 */
export function notViable(
  part: string,
  element: Readonly<Record<string, Value>>,
  path: readonly PathStep[],
  creates: boolean,
): CommandError {
  const [[name, value]] = Object.entries(element) as [[string, Value]];
  const shown = `{${formatField(name, value)}}`;
  return new CommandError(
    'PathNotViable',
    creates
      ? `Cannot create field '${part}' in element ${shown}`
      : `Cannot use the part (${part}) of (${[...path, part].join('.')}) to traverse the element (${shown})`,
  );
}

/** `$rename` from below what has no fields, or what is no index of an array. */
export const sourceNotViable = (part: string, path: string, value: Value): CommandError =>
  new CommandError(
    'PathNotViable',
    `cannot use the part (${part} of ${path}) to traverse the element ({${formatField(part, value)}})`,
  );

/** `$rename` from or to an element of an array. */
export function inArray(role: 'source' | 'destination', path: string, doc: Doc, array: string): CommandError {
  const id = doc.has('_id') ? formatField('_id', doc.get('_id')!) : 'no id';
  return new CommandError(
    'BadValue',
    `The ${role} field cannot be an array element, '${path}' in doc with ${id} has an array field called '${array}'`,
  );
}
