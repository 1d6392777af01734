import { Decimal128, Int32, Timestamp } from 'bson';
import type { Binary } from 'bson';
import { asBuffer } from '../bson/decode.js';
import { unknownField } from '../bson/known-fields.js';
import { CommandError } from '../errors.js';
import type { Doc, TypeName, Value } from '../bson/value.js';
import { BsonUndefined, isDoc, typeName } from '../bson/value.js';

const NUMBER: readonly TypeName[] = ['long', 'int', 'decimal', 'double'];

/** The types an argument may have, in the order the server's errors list them. */
const ACCEPTED = {
  string: ['string'],
  object: ['object'],
  array: ['array'],
  bool: ['bool'],
  number: NUMBER,
  exactInt: ['int'],
  exactLong: ['long'],
  safeBool: ['bool', ...NUMBER],
  objectOrArray: ['object', 'array'],
  binData: ['binData'],
  timestamp: ['timestamp'],
  stringOrArray: ['string', 'array'],
  optionalBool: ['bool'],
  ownedObject: ['object'],
} as const satisfies Record<string, readonly TypeName[]>;

/** `any` takes every type; a trailing `!` marks a required argument. */
type ArgumentType = keyof typeof ACCEPTED | 'any';
export type ArgumentTable = Readonly<Record<string, ArgumentType | `${ArgumentType}!`>>;

/** @param isVariant whether the field may be of more types, of which those given fit best */
export const wrongType = (
  path: string,
  value: Value,
  types: readonly string[],
  isVariant = types.length > 1,
): CommandError =>
  new CommandError(
    'TypeMismatch',
    `BSON field '${path}' is the wrong type '${typeName(value)}', expected type${
      // The server forgets to close the last quotation mark of a list.
      isVariant ? `s '[${types.join(', ')}']` : ` '${types[0]}'`
    }`,
  );

/** What is said of a wrong type by the parsers of two types that the server wrote by hand. */
const WRONG_TYPE: Readonly<Record<string, (field: string, value: Value) => string>> = {
  optionalBool: (field, value) => `Field '${field}' should be a boolean value, but found: ${typeName(value)}`,
  ownedObject: (field) => `Expected field ${field}to be of type object`,
};

const missingField = (path: string): CommandError =>
  new CommandError(40414, `BSON field '${path}' is missing but a required field`);

interface ArgumentRule {
  readonly types: readonly string[] | undefined;
  readonly isRequired: boolean;
  readonly wrong: ((field: string, value: Value) => string) | undefined;
}

const tableOf = (table: ArgumentTable): Map<string, ArgumentRule> =>
  new Map(
    Object.entries(table).map(([field, type]) => {
      const isRequired = type.endsWith('!');
      const name = (isRequired ? type.slice(0, -1) : type) as ArgumentType;
      return [field, { types: name === 'any' ? undefined : ACCEPTED[name], isRequired, wrong: WRONG_TYPE[name] }];
    }),
  );

/**
 * Checks a document as the parsers do that the server generates from its IDL files: an unknown field is error 40415,
 * a wrong type 14, a missing one 40414.
 */
export class ArgumentParser {
  private readonly table: ReturnType<typeof tableOf>;
  private readonly required: string[];

  constructor(
    private readonly owner: string,
    table: ArgumentTable,
  ) {
    this.table = tableOf(table);
    this.required = [...this.table].filter(([, { isRequired }]) => isRequired).map(([field]) => field);
  }

  /** @throws CommandError */
  check(args: Doc, isKnownElsewhere: (field: string) => boolean = () => false): void {
    for (const [field, value] of args) {
      const known = this.table.get(field);
      if (!known) {
        if (isKnownElsewhere(field)) continue;
        throw unknownField(this.owner, field);
      }
      if (!known.types || known.types.includes(typeName(value))) continue;
      if (known.wrong) throw new CommandError('TypeMismatch', known.wrong(field, value));
      // A null or undefined argument counts as absent.
      if (value === null || value instanceof BsonUndefined) continue;
      throw wrongType(`${this.owner}.${field}`, value, known.types);
    }
    for (const field of this.required) {
      if (args.get(field) == null) throw missingField(`${this.owner}.${field}`);
    }
  }
}

const isNumeric = (value: Value | undefined): value is number | Int32 | bigint | Decimal128 =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof Int32 || value instanceof Decimal128;

/** A numeric argument as a JavaScript number, truncated; undefined if absent or no number. */
export function integerArgument(args: Doc, field: string): number | undefined {
  const value = args.get(field);
  if (!isNumeric(value)) return undefined;
  const number = value instanceof Decimal128 ? Number(value.toString()) : Number(value);
  return Number.isNaN(number) ? 0 : Math.trunc(number);
}

/** @throws CommandError 51024 for a number below `least` */
export function countArgument(args: Doc, field: string, least = 0): number | undefined {
  const count = integerArgument(args, field);
  if (count !== undefined && count < least) {
    throw new CommandError(51024, `BSON field '${field}' value must be >= ${least}, actual value '${asInt64(count)}'`);
  }
  return count;
}

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

/** A number as the server's int64 takes it: cut off, and at its ends at most. */
export function asInt64(number: number | bigint): bigint {
  if (typeof number === 'bigint') return number;
  if (Number.isNaN(number)) return 0n;
  if (number >= 2 ** 63) return MAX_INT64;
  return number < -(2 ** 63) ? MIN_INT64 : BigInt(Math.trunc(number));
}

/** A boolean argument; numbers count as true unless they are 0. */
export function boolArgument(args: Doc, field: string, fallback = false): boolean {
  const value = args.get(field);
  if (value == null) return fallback;
  if (typeof value === 'boolean') return value;
  return isNumeric(value) ? Number(value instanceof Decimal128 ? value.toString() : value) !== 0 : true;
}

export function stringArgument(args: Doc, field: string): string | undefined {
  const value = args.get(field);
  return typeof value === 'string' ? value : undefined;
}

export function docArgument(args: Doc, field: string): Doc | undefined {
  const value = args.get(field);
  return isDoc(value) ? value : undefined;
}

export function arrayArgument(args: Doc, field: string): Value[] | undefined {
  const value = args.get(field);
  return Array.isArray(value) ? value : undefined;
}

/** A cursor id, which commands give as int64. */
export function longArgument(args: Doc, field: string): bigint | undefined {
  const value = args.get(field);
  if (typeof value === 'bigint') return value;
  return isNumeric(value)
    ? BigInt(Math.trunc(Number(value instanceof Decimal128 ? value.toString() : value)))
    : undefined;
}

export function timestampArgument(args: Doc, field: string): Timestamp | undefined {
  const value = args.get(field);
  return value instanceof Timestamp ? value : undefined;
}

/** A UUID's 16 bytes in hex. */
export const uuidHex = (uuid: Binary): string => asBuffer(uuid.buffer).toString('hex');
