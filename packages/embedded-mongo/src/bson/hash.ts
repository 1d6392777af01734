import { createHash, type Hash } from 'node:crypto';
import { type Decimal128, type Int32, MaxKey, MinKey } from 'bson';
import { encodeDoc } from './encode.js';
import { isNumeric, toNumber } from './number.js';
import { type Doc, isDoc, typeCode, type Value } from './value.js';
import { spend } from './work.js';

/** The numbers mongod gives types of one rank, by the code of the type; others are their own. */
const RANKS: Readonly<Record<number, number>> = {
  0x01: 10,
  0x02: 15,
  0x03: 20,
  0x04: 25,
  0x05: 30,
  0x06: 0,
  0x07: 35,
  0x08: 40,
  0x09: 45,
  0x0a: 5,
  0x0b: 50,
  0x0c: 55,
  0x0d: 60,
  0x0e: 15,
  0x0f: 65,
  0x10: 10,
  0x11: 47,
  0x12: 10,
  0x13: 10,
};

/**
 * What a hashed index keeps for a value, as mongod works it out: 64 bits of an MD5. Numbers count as whole ones of 64
 * bits, so that equal values of different types are equal here, too.
 */
export function hashedIndexKey(value: Value): bigint {
  const hash = createHash('md5').update(int32Bytes(0));
  add(hash, value);
  return hash.digest().readBigInt64LE(0);
}

function add(hash: Hash, value: Value, name?: string): void {
  spend(1);
  hash.update(int32Bytes(rankOf(value)));
  if (name !== undefined) hash.update(`${name}\0`);
  if (isNumeric(value)) hash.update(longBytes(wholeOf(value)));
  else if (isDoc(value)) addFields(hash, value);
  else if (Array.isArray(value)) addFields(hash, new Map(value.map((element, i) => [String(i), element])));
  else hash.update(encodeDoc(new Map([['', value]])).subarray(6, -1));
}

function addFields(hash: Hash, doc: Doc): void {
  for (const [name, value] of doc) add(hash, value, name);
  hash.update(int32Bytes(0)); // the end of a document is an element, too
}

function rankOf(value: Value): number {
  if (value instanceof MinKey) return -1;
  if (value instanceof MaxKey) return 127;
  return RANKS[typeCode(value)] ?? 0;
}

const LONG_MAX = 2n ** 63n - 1n;

function wholeOf(value: number | bigint | Int32 | Decimal128): bigint {
  if (typeof value === 'bigint') return value;
  const number = Math.trunc(toNumber(value));
  if (Number.isNaN(number)) return 0n;
  if (number >= 2 ** 63) return LONG_MAX;
  return number < -(2 ** 63) ? -(2n ** 63n) : BigInt(number);
}

function int32Bytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function longBytes(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
}
