import { isDoc, type Value } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { isHeapFull } from './heap.js';

/** What one value, or one accumulator, may weigh while it is built (mongod's internalQueryMax…Bytes). */
export const MEMORY_LIMIT = 104_857_600;
/** An element of an array, as MongoDB counts it. */
export const ELEMENT_BYTES = 16;
/** What has to be allocated anew before somebody looks again at what is held. */
const CHECK_BYTES = MEMORY_LIMIT / 4;

let allocated = 0;
let nextLook = CHECK_BYTES;

export const exceeded = (name: string): CommandError =>
  new CommandError(
    'ExceededMemoryLimit',
    `${name} used too much memory and cannot spill to disk. Memory limit: ${MEMORY_LIMIT} bytes`,
  );

/** Notes that an array or object of so many elements was made; it may be garbage soon. */
export function allocate(elements: number): void {
  allocated += elements * ELEMENT_BYTES;
  if (allocated < nextLook) return;
  nextLook = allocated + CHECK_BYTES;
  if (isHeapFull()) throw exceeded('an expression');
}

/** Of what is built up step by step: weighed once enough has been allocated that it might be too much. */
export class MemoryWatch {
  private from = allocated;

  constructor(private readonly name: string) {}

  /** @throws CommandError ExceededMemoryLimit (146) */
  check(held: Value | undefined): void {
    if (allocated - this.from < CHECK_BYTES) return;
    if (weightOf(held) > MEMORY_LIMIT) throw exceeded(this.name);
    if (isHeapFull()) throw exceeded(this.name);
    this.from = allocated;
  }
}

/** How many documents may pass without a look at the heap. */
const UNWATCHED_DOCUMENTS = 255;

/** Of what stages hold together, which MongoDB would write to disk. */
export class HeapWatch {
  private from = allocated;
  private count = 0;

  /** Called once for each document. @throws CommandError ExceededMemoryLimit (146) */
  check(): void {
    if ((++this.count & UNWATCHED_DOCUMENTS) !== 0 && allocated - this.from < CHECK_BYTES) return;
    if (isHeapFull()) throw exceeded('a pipeline');
    this.from = allocated;
  }
}

/** About how many bytes a value has; counting ends beyond the limit. What it holds twice counts twice. */
export function weightOf(value: Value | undefined): number {
  if (typeof value === 'string') return ELEMENT_BYTES + value.length;
  if (Array.isArray(value)) {
    let weight = ELEMENT_BYTES;
    for (const item of value) {
      weight += weightOf(item);
      if (weight > MEMORY_LIMIT) break;
    }
    return weight;
  }
  if (!isDoc(value)) return ELEMENT_BYTES;
  let weight = ELEMENT_BYTES;
  for (const [field, item] of value) {
    weight += field.length + weightOf(item);
    if (weight > MEMORY_LIMIT) break;
  }
  return weight;
}
