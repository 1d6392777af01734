/** The element type bytes of BSON (bsonspec.org), deprecated ones too. */
export const BsonType = {
  Double: 0x01,
  String: 0x02,
  Document: 0x03,
  Array: 0x04,
  Binary: 0x05,
  Undefined: 0x06,
  ObjectId: 0x07,
  Boolean: 0x08,
  Date: 0x09,
  Null: 0x0a,
  Regex: 0x0b,
  DBPointer: 0x0c,
  Code: 0x0d,
  Symbol: 0x0e,
  CodeWithScope: 0x0f,
  Int32: 0x10,
  Timestamp: 0x11,
  Int64: 0x12,
  Decimal128: 0x13,
  MinKey: 0xff,
  MaxKey: 0x7f,
} as const;

/** The largest document a MongoDB server stores: 16 MiB (MongoDB manual, "MongoDB Limits and Thresholds"). */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

/** The smallest BSON document: its length and its terminator. */
export const MIN_DOCUMENT_BYTES = 5;

/** How deep documents and arrays may nest. A server takes 100 levels by default and 180 at most. */
export const MAX_NESTING = 200;

/** The little-endian int32 at `at`, which is how BSON writes lengths. */
export const readInt32 = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
