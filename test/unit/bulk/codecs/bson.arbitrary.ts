import * as fc from 'fast-check';

/** Raw BSON, made byte by byte, so that documents no JavaScript object can hold are among them. */
type Element = readonly [type: number, value: Buffer];

const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
};
const cstring = (value: string) => Buffer.from(`${value}\0`);
const string = (value: string) => Buffer.concat([int32(Buffer.byteLength(value) + 1), cstring(value)]);

export const documentOf = (elements: readonly (readonly [name: string, type: number, value: Buffer])[]): Buffer => {
  const body = Buffer.concat(
    elements.map(([name, type, value]) => Buffer.concat([Buffer.of(type), cstring(name), value])),
  );
  return Buffer.concat([int32(body.length + 5), body, Buffer.of(0)]);
};
const arrayOf = (elements: readonly Element[]): Buffer =>
  documentOf(elements.map(([type, value], index) => [String(index), type, value]));

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((value) => Buffer.from(value));
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constantFrom('"\\/\b\f\n\r\t\u0000\u001f', '€😀'));
const noNul = text.map((value) => value.replaceAll('\0', ''));

const fieldName = fc.oneof(
  { weight: 6, arbitrary: noNul },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '',
      '__proto__',
      'constructor',
      'toString',
      'a.b',
      '$set',
      '$ref',
      '$id',
      'a',
      'b',
      '_id',
    ),
  },
  { weight: 2, arbitrary: fc.constantFrom('0', '1', '2', '10', '01', '4294967294', '4294967295', '-1', '1.5') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '$oid',
      '$date',
      '$numberInt',
      '$numberLong',
      '$binary',
      '$code',
      '$polymongoBson',
      '$regex',
    ),
  },
);

const double = fc
  .oneof(fc.double(), fc.constantFrom(-0, 0, 5, 1e20, 1e21, 2 ** 53, -(2 ** 63), 0.1, 1e-7))
  .map((value) => {
    const out = Buffer.alloc(8);
    out.writeDoubleLE(value);
    return out;
  });
const int64 = fc
  .oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.constantFrom(0n, -1n, 2n ** 53n, -(2n ** 53n), 9007199254740993n))
  .map((value) => {
    const out = Buffer.alloc(8);
    out.writeBigInt64LE(value);
    return out;
  });
/** A decimal as a price has it: few digits, an exponent about zero. */
const decimal = fc
  .tuple(fc.nat(), fc.integer({ min: -40, max: 40 }), fc.boolean())
  .map(([digits, exponent, isNegative]) => {
    const out = Buffer.alloc(16);
    out.writeInt32LE(digits);
    out.writeInt32LE(((exponent + 6176) << 17) | (isNegative ? 0x80000000 : 0), 12);
    return out;
  });
const binary = fc
  .tuple(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 9, 128, 255))
  .map(([data, subtype]) =>
    subtype === 2
      ? Buffer.concat([int32(data.length + 4), Buffer.of(2), int32(data.length), data])
      : Buffer.concat([int32(data.length), Buffer.of(subtype), data]),
  );

const { document } = fc.letrec<{ element: Element; array: Buffer; document: Buffer }>((tie) => ({
  element: fc.oneof(
    { maxDepth: 4 },
    double.map((value): Element => [0x01, value]),
    text.map((value): Element => [0x02, string(value)]),
    binary.map((value): Element => [0x05, value]),
    fc.constantFrom<Element>(
      [0x06, Buffer.alloc(0)],
      [0x0a, Buffer.alloc(0)],
      [0xff, Buffer.alloc(0)],
      [0x7f, Buffer.alloc(0)],
    ),
    bytes(12).map((value): Element => [0x07, value]),
    fc.boolean().map((value): Element => [0x08, Buffer.of(value ? 1 : 0)]),
    int64.map((value): Element => [0x09, value]),
    fc
      .tuple(noNul, noNul)
      .map(([pattern, options]): Element => [0x0b, Buffer.concat([cstring(pattern), cstring(options)])]),
    fc.tuple(text, bytes(12)).map(([ns, id]): Element => [0x0c, Buffer.concat([string(ns), id])]),
    text.map((value): Element => [0x0d, string(value)]),
    text.map((value): Element => [0x0e, string(value)]),
    fc.integer().map((value): Element => [0x10, int32(value)]),
    bytes(8).map((value): Element => [0x11, value]),
    int64.map((value): Element => [0x12, value]),
    fc.oneof(bytes(16), decimal).map((value): Element => [0x13, value]),
    // Strings that are not UTF-8, NaNs with a payload: what only bytes can hold.
    bytes(8).map((value): Element => [0x01, value]),
    bytes(6).map((value): Element => [0x02, Buffer.concat([int32(7), value, Buffer.of(0)])]),
    fc.tuple(text, tie('document')).map(([code, scope]): Element => {
      const value = Buffer.concat([string(code), scope]);
      return [0x0f, Buffer.concat([int32(value.length + 4), value])];
    }),
    tie('document').map((value): Element => [0x03, value]),
    tie('document').map((value): Element => [0x04, value]), // array elements with keys of their own
    tie('array').map((value): Element => [0x04, value]),
  ),
  array: fc.array(tie('element'), { maxLength: 13 }).map(arrayOf),
  document: fc
    .array(fc.tuple(fieldName, tie('element')), { maxLength: 8 })
    .map((elements) => documentOf(elements.map(([name, [type, value]]) => [name, type, value]))),
}));

/** Any BSON document, every type and name, valid or not for JavaScript objects. */
export const bsonDocument = document;
