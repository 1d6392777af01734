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

/** How deep a value may be while it is computed; what is stored or sent is less (MAX_DEPTH). */
const MOST_LEVELS = 1000;

interface Shape {
  readonly weight: number;
  readonly levels: number;
}

const LEAF: Shape = { weight: ELEMENT_BYTES, levels: 0 };
/** Of what holds arrays or objects: made of others' shapes once, however often they are held. */
const shapes = new WeakMap<object, Shape>();

/**
 * About how many bytes a value has, and how many levels. What it holds twice counts twice: whoever goes over it does so twice,
 * and sixty times doubled has no end.
 * @throws CommandError ExceededMemoryLimit (146) beyond MEMORY_LIMIT, Overflow (15) where it is nested too deeply
 */
function shapeOf(value: Value, name: string): Shape {
  if (typeof value === 'string') return { weight: ELEMENT_BYTES + value.length, levels: 0 };
  if (!Array.isArray(value) && !isDoc(value)) return LEAF;
  const known = shapes.get(value);
  if (known) return known;
  let [weight, levels] = [ELEMENT_BYTES, 0];
  const add = (item: Value): void => {
    if (typeof item !== 'object' && typeof item !== 'string') {
      weight += ELEMENT_BYTES;
      return;
    }
    const shape = shapeOf(item, name);
    weight += shape.weight;
    if (shape.levels > levels) levels = shape.levels;
    if (weight > MEMORY_LIMIT) throw exceeded(name);
  };
  if (Array.isArray(value)) for (const item of value) add(item);
  else {
    for (const [field, item] of value) {
      weight += field.length;
      add(item);
    }
  }
  if (levels > MOST_LEVELS) throw new CommandError('Overflow', `${name} exceeds ${MOST_LEVELS} levels of nesting`);
  const shape = { weight, levels: levels + 1 };
  if (levels > 0) shapes.set(value, shape);
  return shape;
}

/** Characters of a string from which on it is looked at by itself. */
const LONG_STRING = 64 * 1024;

/**
 * The engine joins strings when somebody reads them: a million may be held that then fill the memory all at once. So they are joined
 * where they are made, and count there.
 */
function weighString(value: string): void {
  if (value.length < LONG_STRING) return;
  Number(value);
  allocate(value.length / ELEMENT_BYTES);
}

/**
 * What was made of other values, which it holds: as it is, unless it is too large to go over.
 * @throws CommandError ExceededMemoryLimit (146), Overflow (15)
 */
export function bounded<T extends Value | undefined>(value: T, name: string): T {
  if (typeof value === 'string') weighString(value);
  else if (typeof value === 'object') shapeOf(value as Value, name);
  return value;
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
