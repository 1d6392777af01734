import type { Collation } from '../../bson/collation.js';
import { int32, isDoc, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { mergeInto } from '../expression/object.operators.js';
import { compareOperands, isNullish } from '../expression/operand.js';
import type { Operand } from '../expression/operator.js';
import { allocate, exceeded, MEMORY_LIMIT, weightOf } from '../memory.js';
import { ValueSet } from '../expression/value-set.js';
import { type AccumulatorFamily, ofValue, type State } from './accumulator.js';
import { Sum } from './numeric.accumulators.js';

/** The least or greatest value; null and missing ones do not count. */
export class Extreme implements State {
  private best: Operand;

  constructor(
    private readonly sign: 1 | -1,
    private readonly collation: Collation | undefined,
  ) {}

  add(value: Operand): void {
    if (isNullish(value)) return;
    if (this.best === undefined || this.sign * compareOperands(value, this.best, this.collation) > 0) this.best = value;
  }

  result(): Operand {
    return this.best ?? null;
  }
}

const ONE = int32(1);

const first = (): State => {
  let isSet = false;
  let kept: Operand;
  return {
    add(value) {
      if (!isSet) kept = value;
      isSet = true;
    },
    result: () => kept,
  };
};

const last = (): State => {
  let kept: Operand;
  return { add: (value) => (kept = value), result: () => kept };
};

const push = (): State => {
  const values: Value[] = [];
  const weigh = weighing('$push');
  return {
    add(value) {
      if (value === undefined) return;
      weigh(value);
      values.push(value);
    },
    result() {
      allocate(values.length);
      return [...values];
    },
  };
};

/** Adds up what an accumulator keeps. */
function weighing(name: string): (value: Value) => void {
  let weight = 0;
  return (value) => {
    weight += weightOf(value);
    if (weight > MEMORY_LIMIT) throw exceeded(name);
  };
}

const addToSet = (collation: Collation | undefined): State => {
  const values = new ValueSet(collation);
  const weigh = weighing('$addToSet');
  return {
    add(value) {
      if (value !== undefined && values.add(value)) weigh(value);
    },
    result() {
      allocate(values.size);
      return values.values();
    },
  };
};

const mergeObjects = (): State => {
  const merged: Doc = new Map();
  return { add: (value) => mergeInto(merged, value), result: () => new Map(merged) };
};

/** Accumulators that keep values they are given. */
export const elementAccumulators: AccumulatorFamily = {
  $min: ofValue(({ env }) => new Extreme(-1, env.collation)),
  $max: ofValue(({ env }) => new Extreme(1, env.collation)),
  $first: ofValue(first),
  $last: ofValue(last),
  $push: ofValue(push),
  $addToSet: ofValue(({ env }) => addToSet(env.collation)),
  $mergeObjects: ofValue(mergeObjects),
  $count(argument) {
    if (!isDoc(argument) || argument.size > 0) {
      throw new CommandError('FailedToParse', '$count takes no arguments, i.e. $count:{}');
    }
    return {
      start() {
        const count = new Sum();
        return { add: () => count.add(ONE), result: () => count.result() };
      },
    };
  },
};
