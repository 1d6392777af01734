import { parseCollation } from '../../bson/collation.js';
import { equalValues } from '../../bson/compare.js';
import type { Doc } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { CatalogEntry } from '../../storage/catalog.js';
import { nsString } from '../../storage/namespace.js';
import { docArgument } from '../arguments.js';

/**
 * The collation a view is read with, which is its own.
 * @throws CommandError OptionNotSupportedOnView (167) for another
 */
export function viewCollation({ ns, options }: CatalogEntry, given: Doc | undefined): Doc | undefined {
  const own = docArgument(options, 'collation');
  if (!given?.size || equalValues(specOf(given), specOf(own))) return own;
  throw new CommandError(
    'OptionNotSupportedOnView',
    `Cannot override the default collation of the view ${nsString(ns)}`,
  );
}

const specOf = (collation: Doc | undefined): Doc | null => parseCollation(collation)?.spec ?? null;
