/**
 * The one key of ours in Extended JSON: `{ "$polymongoBson": "<base64>" }` stands for the BSON document whose bytes it
 * holds. It carries what canonical Extended JSON cannot: a user's own `{ $oid: … }` (which would come back as an
 * ObjectId), duplicate field names, integer-like field names that a JavaScript object would reorder, strings that are
 * not UTF-8, NaNs with a payload, array elements with keys other than 0, 1, 2 …
 *
 * Only the smallest enclosing document is replaced. A user's own field of this name is itself one that cannot be
 * carried, so the document around it is escaped too, and nothing is ambiguous.
 */
export const ESCAPE_KEY = '$polymongoBson';

/** Keys to which Extended JSON (v2 and the legacy v1) gives a meaning: a user's own document with one is escaped. */
export const RESERVED_KEYS: ReadonlySet<string> = new Set([
  ESCAPE_KEY,
  '$oid',
  '$binary',
  '$uuid',
  '$symbol',
  '$numberInt',
  '$numberLong',
  '$numberDouble',
  '$numberDecimal',
  '$minKey',
  '$maxKey',
  '$regularExpression',
  '$regex',
  '$timestamp',
  '$date',
  '$code',
  '$undefined',
  '$dbPointer',
]);
