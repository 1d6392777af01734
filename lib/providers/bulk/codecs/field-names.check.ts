import { RESERVED_KEYS } from './extended-json.keys.js';

const [DOLLAR, ZERO, NINE] = [36, 48, 57] as const;
/** Up to this many names a document's names are compared with each other one by one, above it through a Set. */
const FEW = 48;
const LARGEST_INDEX = 4294967294;

/**
 * Checks, document by document, that a JavaScript object would keep the field names and their order: none twice, none
 * that Extended JSON reserves, and integer-like ones first and ascending (ECMAScript, OrdinaryOwnPropertyKeys).
 * Names of open documents are kept on one stack, so that a check allocates nothing.
 */
export class FieldNamesCheck {
  private hashes = new Int32Array(256);
  private starts = new Int32Array(256);
  private ends = new Int32Array(256);
  /** How many names are on the stack; a document's own begin where this stood when it was opened. */
  depth = 0;

  /** @param checkReserved whether a name that Extended JSON reserves is refused */
  constructor(private readonly checkReserved: boolean) {}

  /**
   * Takes the name `source[from, to)` of the document whose names begin at `base` on the stack.
   * @returns whether a JavaScript object carries it at this place
   */
  accept(source: Buffer, from: number, to: number, hash: number, document: OpenDocument): boolean {
    const first = source[from]!;
    if (first === DOLLAR && this.checkReserved && RESERVED_KEYS.has(source.toString('latin1', from, to))) return false;
    const index = first >= ZERO && first <= NINE ? arrayIndex(source, from, to) : -1;
    if (index < 0) document.hasName = true;
    else if (document.hasName || index <= document.lastIndex) return false;
    else document.lastIndex = index;

    const count = this.depth - document.base;
    if (count >= FEW) return this.acceptAmongMany(source, from, to, document);
    for (let i = document.base; i < this.depth; i++) {
      if (this.hashes[i] === hash && this.isSame(source, i, from, to)) return false;
    }
    this.push(hash, from, to);
    return true;
  }

  private acceptAmongMany(source: Buffer, from: number, to: number, document: OpenDocument): boolean {
    const seen = (document.names ??= new Set());
    if (seen.size === 0) {
      for (let i = document.base; i < this.depth; i++) {
        seen.add(source.toString('latin1', this.starts[i], this.ends[i]));
      }
    }
    const before = seen.size;
    return seen.add(source.toString('latin1', from, to)).size > before;
  }

  private isSame(source: Buffer, i: number, from: number, to: number): boolean {
    const start = this.starts[i]!;
    if (this.ends[i]! - start !== to - from) return false;
    for (let k = 0; k < to - from; k++) if (source[start + k] !== source[from + k]) return false;
    return true;
  }

  private push(hash: number, from: number, to: number): void {
    if (this.depth === this.hashes.length) {
      const grow = (old: Int32Array<ArrayBuffer>) => {
        const grown = new Int32Array(old.length * 2);
        grown.set(old);
        return grown;
      };
      this.hashes = grow(this.hashes);
      this.starts = grow(this.starts);
      this.ends = grow(this.ends);
    }
    this.hashes[this.depth] = hash;
    this.starts[this.depth] = from;
    this.ends[this.depth++] = to;
  }
}

/** What the check remembers of a document while it is being written. */
export class OpenDocument {
  hasName = false;
  lastIndex = -1;
  names: Set<string> | undefined = undefined;
  constructor(readonly base: number) {}
}

/** The number of an integer-like property name, or -1. */
function arrayIndex(source: Uint8Array, from: number, to: number): number {
  if (to - from > 10 || (source[from] === ZERO && to - from > 1)) return -1;
  let index = 0;
  for (let p = from; p < to; p++) {
    const c = source[p]!;
    if (c < ZERO || c > NINE) return -1;
    index = index * 10 + (c - ZERO);
  }
  return index <= LARGEST_INDEX ? index : -1;
}
