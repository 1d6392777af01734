import { BulkArgumentError } from './bulk.errors.js';
import type { BulkSelection } from './bulk.types.js';
import { documentOf, elementsOf, stringElement, stringOf } from './codecs/bson-elements.js';

/** 255 for the database, a dot and the collection; what is left depends on the database's name, so the server says. */
const MAX_NAME_BYTES = 253;

/** Whether a collection is the user's: of the server's own ones only stored JavaScript is. */
const isUserCollection = (name: string): boolean => !name.startsWith('system.') || name === 'system.js';

/**
 * What is wrong with a name as that of a collection of the user's own (MongoDB manual, "Naming Restrictions"); undefined
 * where it is one.
 */
export function whyNoCollection(name: string): string | undefined {
  if (name === '') return 'its name is empty';
  if (name.startsWith('.') || /[$\0]/.test(name))
    return `a name has no $ and no NUL in it, and does not begin with a dot`;
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `its name has more than ${MAX_NAME_BYTES} bytes`;
  return isUserCollection(name) ? undefined : 'names that begin with system. belong to the server';
}

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

/** The collections a task takes, under the names it gives them: no two under one. */
export class NewNames {
  private readonly sources = new Map<string, string>();

  /** @throws BulkArgumentError where `rename` gives a name that no collection can have, or one name twice */
  constructor(private readonly selection: BulkSelection) {
    const { rename = {} } = selection;
    const selected = Object.keys(rename).filter((source) => isSelected(selection, source));
    for (const source of selected) {
      const name = rename[source]!;
      const reason = whyNoCollection(name);
      if (reason !== undefined)
        throw new BulkArgumentError(`Cannot rename ${quoted(source)} to ${quoted(name)}: ${reason}.`);
      const other = selected.find((each) => each !== source && rename[each] === name);
      if (other !== undefined) throw mixed(other, source, name);
    }
  }

  /** @throws BulkArgumentError where another collection of the source has been given that name */
  add(source: string): string {
    const name = newNameOf(this.selection, source);
    const other = this.sources.get(name) ?? source;
    if (other !== source) throw mixed(other, source, name);
    this.sources.set(name, source);
    return name;
  }
}

const quoted = (name: string): string => JSON.stringify(name);

const mixed = (first: string, second: string, name: string): BulkArgumentError =>
  new BulkArgumentError(
    `The collections ${quoted(first)} and ${quoted(second)} would both become ${quoted(name)}: rename or exclude one of them.`,
  );

/** What an option says of a collection, whatever its name is. */
export const ownValue = <T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined =>
  record && Object.hasOwn(record, name) ? record[name] : undefined;

/** The options of a view, on the new name of what it is on. */
export const viewOptionsOf = (selection: BulkSelection, options: Uint8Array): Buffer =>
  documentOf(
    [...elementsOf(options)].map((element) => {
      const viewOn = element.name === 'viewOn' ? stringOf(element) : undefined;
      return viewOn === undefined ? element : stringElement('viewOn', newNameOf(selection, viewOn));
    }),
  );
