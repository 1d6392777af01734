import { BulkArgumentError } from './bulk.errors.js';
import type { BulkSelection } from './bulk.types.js';
import { documentOf, elementsOf, stringElement, stringOf } from './codecs/bson-elements.js';

/** Whether a collection is the user's: of the server's own ones only stored JavaScript is. */
export const isUserCollection = (name: string): boolean => !name.startsWith('system.') || name === 'system.js';

/** Whether a task takes the collection. */
export const isSelected = ({ include, exclude = [] }: BulkSelection, name: string): boolean =>
  isUserCollection(name) && (!include || include.includes(name)) && !exclude.includes(name);

/** @throws BulkArgumentError where a collection is to be included that is not there */
export function checkIncluded(
  { include = [] }: BulkSelection,
  isThere: (name: string) => boolean,
  where: string,
): void {
  const missing = include.filter((name) => !isThere(name));
  if (missing.length === 0) return;
  throw new BulkArgumentError(`${where} has no collection ${missing.join(', ')}, which "include" names.`);
}

/** The name that a task gives the collection. */
export const newNameOf = ({ rename }: BulkSelection, name: string): string => ownValue(rename, name) ?? name;

/** What an option says of a collection, whatever its name is. */
export const ownValue = <T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined =>
  record && Object.hasOwn(record, name) ? record[name] : undefined;

/** The options of a view, on the new name of what it is on. */
export const viewOptionsOf = (selection: BulkSelection, options: Uint8Array): Buffer =>
  documentOf(
    [...elementsOf(options)].map((element) =>
      element.name === 'viewOn' ? stringElement('viewOn', newNameOf(selection, stringOf(element)!)) : element,
    ),
  );
