import type { Collation } from '../../bson/collation.js';
import type { Value } from '../../bson/value.js';
import { valueKey } from '../value-key.js';
import { allocate } from '../memory.js';
import { compareOperands } from './operand.js';

/** How many elements of an array take as much memory as an entry. */
const ENTRY_ELEMENTS = 6;

/** A set of values: equal ones, whatever their number types, are kept once (the first of them). */
export class ValueSet {
  private readonly items = new Map<string, Value>();

  constructor(
    private readonly collation: Collation | undefined,
    values: Iterable<Value> = [],
  ) {
    for (const value of values) this.add(value);
  }

  get size(): number {
    return this.items.size;
  }

  has(value: Value): boolean {
    return this.items.has(this.keyOf(value));
  }

  /** @returns whether it was not there before */
  add(value: Value): boolean {
    const key = this.keyOf(value);
    if (this.items.has(key)) return false;
    this.items.set(key, value);
    allocate(ENTRY_ELEMENTS);
    return true;
  }

  values(): Value[] {
    return [...this.items.values()];
  }

  sorted(): Value[] {
    return this.values().sort((a, b) => compareOperands(a, b, this.collation));
  }

  private keyOf(value: Value): string {
    return valueKey(value, this.collation);
  }
}
