import type { Collation } from '../../bson/collation.js';
import type { Value } from '../../bson/value.js';
import { valueKey } from '../value-key.js';
import type { QueryEnv } from '../env.js';
import { allocate } from '../memory.js';
import { spend, spending, workOf } from '../work.js';
import { compareOperands } from './operand.js';

/** How many elements of an array take as much memory as an entry. */
const ENTRY_ELEMENTS = 6;

/** A set of values: equal ones, whatever their number types, are kept once (the first of them). */
export class ValueSet {
  private readonly items = new Map<string, Value>();

  constructor(
    private readonly collation: Collation | undefined,
    values: Iterable<Value> = [],
    private readonly env?: QueryEnv,
  ) {
    for (const value of values) this.add(value);
  }

  /** The set of an expression's values, whose making ends with its command. */
  static of(env: QueryEnv, values: Iterable<Value> = []): ValueSet {
    return new ValueSet(env.collation, values, env);
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
    const order = (a: Value, b: Value): number => compareOperands(a, b, this.collation);
    return this.values().sort(this.env ? spending(this.env, order) : order);
  }

  private keyOf(value: Value): string {
    if (this.env) spend(this.env, 2 + workOf(value));
    return valueKey(value, this.collation);
  }
}
