/**
 * CRC-64 with the ECMA-182 polynomial in the reflected form of Go's `crc64.ECMA` (also CRC-64/XZ), which the archive
 * format uses. JavaScript has no 64-bit integers that are fast, WebAssembly has: eight table look-ups an eight bytes
 * ("slicing by eight", Kounavis and Berry, 2005). The module is small enough to be assembled here.
 */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}; // TypeScript declares it with the DOM only

const POLYNOMIAL = 0xc96c5795d7870f42n;
const SLICES = 8;
const TABLE_BYTES = 256 * 8;
const PAGE = 65536;
const DATA_PAGES = 16;

const [I32, I64, VOID] = [0x7f, 0x7e, 0x40];
const op = {
  block: [0x02, VOID],
  loop: [0x03, VOID],
  end: [0x0b],
  br: (depth: number) => [0x0c, depth],
  brIf: (depth: number) => [0x0d, depth],
  get: (local: number) => [0x20, local],
  set: (local: number) => [0x21, local],
  i32: (value: number) => [0x41, ...signedLeb(value)],
  i64: (value: number) => [0x42, ...signedLeb(value)],
  load64: (offset: number) => [0x29, 0, ...unsignedLeb(offset)],
  load8: [0x31, 0, 0],
  i32Eqz: [0x45],
  i32LtU: [0x49],
  i32Add: [0x6a],
  i32And: [0x71],
  i32Shl: [0x74],
  i64Xor: [0x85],
  i64ShrU: [0x88],
  wrap: [0xa7],
};
const [CRC, POINTER, LENGTH, WORD] = [0, 1, 2, 3] as const;

/** The entry of table `slice` for the byte of WORD that begins at bit `shift`. */
const lookUp = (slice: number, shift: number) => [
  ...op.get(WORD),
  ...op.i64(shift),
  ...op.i64ShrU,
  ...op.wrap,
  ...op.i32(255),
  ...op.i32And,
  ...op.i32(3),
  ...op.i32Shl,
  ...op.load64(slice * TABLE_BYTES),
];
const advance = (bytes: number) => [
  ...[...op.get(POINTER), ...op.i32(bytes), ...op.i32Add, ...op.set(POINTER)],
  ...[...op.get(LENGTH), ...op.i32(-bytes), ...op.i32Add, ...op.set(LENGTH)],
];
const invert = [...op.i64(-1), ...op.i64Xor];
const crcXor = (load: number[]) => [...op.get(CRC), ...op.get(POINTER), ...load, ...op.i64Xor, ...op.set(WORD)];

const eightBytes = [
  ...crcXor(op.load64(0)),
  ...lookUp(7, 0),
  ...Array.from({ length: 7 }, (_, i) => [...lookUp(6 - i, 8 * (i + 1)), ...op.i64Xor]).flat(),
  ...op.set(CRC),
  ...advance(8),
];
const oneByte = [
  ...crcXor(op.load8),
  ...lookUp(0, 0),
  ...[...op.get(CRC), ...op.i64(8), ...op.i64ShrU, ...op.i64Xor, ...op.set(CRC)],
  ...advance(1),
];
const repeat = (exitIf: number[], body: number[]) => [
  ...[...op.block, ...op.loop, ...op.get(LENGTH), ...exitIf, ...op.brIf(1)],
  ...[...body, ...op.br(0), ...op.end, ...op.end],
];
const body = [
  ...[1, 1, I64!], // one local: WORD
  ...[...op.get(CRC), ...invert, ...op.set(CRC)],
  ...repeat([...op.i32(8), ...op.i32LtU], eightBytes),
  ...repeat(op.i32Eqz, oneByte),
  ...[...op.get(CRC), ...invert, ...op.end],
];

function unsignedLeb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsignedLeb(value >>> 7)];
}
function signedLeb(value: number): number[] {
  const isLast = value >= -64 && value < 64;
  return isLast ? [value & 127] : [(value & 127) | 128, ...signedLeb(value >> 7)];
}
const section = (id: number, bytes: number[]) => [id, ...unsignedLeb(bytes.length), ...bytes];
const name = (text: string) => [text.length, ...Buffer.from(text)];
const MODULE = new Uint8Array([
  ...[0, 97, 115, 109, 1, 0, 0, 0],
  ...section(1, [1, 0x60, 3, I64!, I32!, I32!, 1, I64!]), // (crc, pointer, length) => crc
  ...section(3, [1, 0]),
  ...section(5, [1, 0, 1 + DATA_PAGES]), // the tables in the first page, data after it
  ...section(7, [2, ...name('memory'), 2, 0, ...name('update'), 0, 0]),
  ...section(10, [1, ...unsignedLeb(body.length), ...body]),
]);

interface Engine {
  readonly data: Uint8Array;
  readonly update: (crc: bigint, pointer: number, length: number) => bigint;
}

let engine: Engine | undefined;

function startEngine(): Engine {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(MODULE));
  const { memory, update } = exports as { memory: { buffer: ArrayBuffer }; update: Engine['update'] };
  const tables = new BigUint64Array(memory.buffer, 0, SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ POLYNOMIAL : crc >> 1n;
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256]!;
    tables[i] = tables[Number(before & 255n)]! ^ (before >> 8n);
  }
  return { data: new Uint8Array(memory.buffer, PAGE, DATA_PAGES * PAGE), update };
}

/** A running CRC-64. */
export class Crc64 {
  private crc = 0n;

  update(bytes: Uint8Array): this {
    const { data, update } = (engine ??= startEngine());
    for (let from = 0; from < bytes.length; from += data.length) {
      const part = bytes.subarray(from, from + data.length);
      data.set(part);
      this.crc = update(this.crc, PAGE, part.length);
    }
    return this;
  }

  /** The checksum so far, unsigned. */
  get value(): bigint {
    return BigInt.asUintN(64, this.crc);
  }
}
