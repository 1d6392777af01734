import { Binary } from 'bson';
import { formatField } from '../../bson/format.js';
import { isNaNValue, isNumeric, toExactInt64, toNumber } from '../../bson/number.js';
import type { Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { parseNonNegativeInteger } from './integer.js';
import { anyOf, type Predicate } from './predicate.js';
import { spend } from '../../bson/work.js';

type Positions = readonly number[];
type BitTest = (at: number) => boolean;

/** Whether all or any of the positions are set or clear. */
const OPERATORS = {
  $bitsAllSet: (positions: Positions, isSet: BitTest) => positions.every(isSet),
  $bitsAllClear: (positions: Positions, isSet: BitTest) => !positions.some(isSet),
  $bitsAnySet: (positions: Positions, isSet: BitTest) => positions.some(isSet),
  $bitsAnyClear: (positions: Positions, isSet: BitTest) => !positions.every(isSet),
} as const;

export type BitsOperator = keyof typeof OPERATORS;

const bytesOf = (binary: Binary): Uint8Array => binary.buffer.subarray(0, binary.position);
const bitOfBytes = (bytes: Uint8Array, at: number): boolean => (((bytes[at >> 3] ?? 0) >> (at & 7)) & 1) === 1;
/** Past the 64th bit a number is extended by its sign. */
const SIGN = 63;
const bitOfInteger = (n: bigint, at: number): boolean => ((n >> BigInt(at)) & 1n) === 1n;

function positionOf(index: number, value: Value): number {
  const shown = formatField(String(index), value);
  if (!isNumeric(value))
    throw new CommandError('BadValue', `Failed to parse bit position. Expected a number in: ${shown}`);
  if (isNaNValue(value)) throw new CommandError('BadValue', `bit positions cannot take a NaN: ${shown}`);
  if (Math.abs(toNumber(value)) > 2147483647) {
    throw new CommandError('BadValue', `bit positions cannot be represented as a 32-bit signed integer: ${shown}`);
  }
  const position = toExactInt64(value);
  if (position === undefined)
    throw new CommandError('BadValue', `Failed to parse bit position. Expected an integer: ${shown}`);
  if (position < 0n)
    throw new CommandError('BadValue', `Failed to parse bit position. Expected a non-negative number in: ${shown}`);
  return Number(position);
}

function setPositions(length: number, isSet: BitTest): number[] {
  const positions: number[] = [];
  for (let at = 0; at < length; at++) {
    spend(1);
    if (isSet(at)) positions.push(at);
  }
  return positions;
}

function positionsOf(name: string, field: string, operand: Value): number[] {
  if (Array.isArray(operand)) return operand.map((value, i) => positionOf(i, value));
  if (operand instanceof Binary) return setPositions(operand.position * 8, (at) => bitOfBytes(bytesOf(operand), at));
  if (!isNumeric(operand)) {
    throw new CommandError(
      'BadValue',
      `${field} takes an Array, a number, or a BinData but received: ${formatField(name, operand)}`,
    );
  }
  const mask = parseNonNegativeInteger(name, operand);
  return setPositions(64, (at) => bitOfInteger(mask, at));
}

export function bits(name: BitsOperator, field: string, operand: Value): Predicate {
  const positions = positionsOf(name, field, operand);
  const ofIntegers = [...new Set(positions.map((at) => Math.min(at, SIGN)))];
  const holds = OPERATORS[name];
  return anyOf((value) => {
    if (value instanceof Binary) {
      spend(positions.length);
      const bytes = bytesOf(value);
      return holds(positions, (at) => bitOfBytes(bytes, at));
    }
    const integer = isNumeric(value) ? toExactInt64(value) : undefined;
    if (integer === undefined) return false;
    spend(ofIntegers.length);
    return holds(ofIntegers, (at) => bitOfInteger(integer, at));
  });
}
