import { isNumeric, toExactInt64 } from '../../bson/number.js';
import { dateOf, typeName } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { named, type ArgumentRule, type NamedValues } from './arguments.js';
import { instant, isDateLike, zoneOf } from './date-argument.js';
import { addUnits, startOfWeekOf, truncate, unitOf, unitsBetween } from './date-unit.js';
import { isNullish } from './operand.js';
import type { Operator, OperatorFamily } from './operator.js';

const INCOMPLETE = [5166402, '% requires startDate, unit, and amount to be present'] as const;

const ADD: ArgumentRule = {
  required: { startDate: INCOMPLETE, unit: INCOMPLETE, amount: INCOMPLETE },
  optional: ['timezone'],
  notAnObject: [5166400, (name, type) => `${name} expects an object as its argument.found input of type:${type}`],
  unknown: [
    5166401,
    (name, field) =>
      `Unrecognized argument to ${name}: ${field}. Expected arguments are startDate, unit, amount, and optionally timezone.`,
  ],
};

const DIFF: ArgumentRule = {
  required: {
    startDate: [5166303, "Missing 'startDate' parameter to $dateDiff"],
    endDate: [5166304, "Missing 'endDate' parameter to $dateDiff"],
    unit: [5166305, "Missing 'unit' parameter to $dateDiff"],
  },
  optional: ['timezone', 'startOfWeek'],
  notAnObject: [5166301, () => '$dateDiff only supports an object as its argument'],
  unknown: [5166302, (_, field) => `Unrecognized argument to $dateDiff: ${field}`],
};

const TRUNC: ArgumentRule = {
  required: {
    date: [5439009, "Missing 'date' parameter to $dateTrunc"],
    unit: [5439010, "Missing 'unit' parameter to $dateTrunc"],
  },
  optional: ['binSize', 'timezone', 'startOfWeek'],
  notAnObject: [5439007, () => '$dateTrunc only supports an object as its argument'],
  unknown: [5439008, (_, field) => `Unrecognized argument to $dateTrunc: ${field}`],
};

const shift = (direction: 1 | -1): Operator =>
  named(ADD, (values, _, name) => {
    const start = values.get('startDate');
    const unit = unitOf(values.get('unit'), name, 5166404);
    const amount = values.get('amount');
    const zone = zoneOf(values);
    if (isNullish(start) || unit === undefined || isNullish(amount) || zone === undefined) return null;
    if (!isDateLike(start)) throw new CommandError(5166403, `${name} requires startDate to be convertible to a date`);
    const count = isNumeric(amount) ? toExactInt64(amount) : undefined;
    if (count === undefined) throw new CommandError(5166405, `${name} expects integer amount of time units`);
    const result = addUnits(instant(start), unit, direction * Number(count), zone);
    if (Number.isNaN(result) || Math.abs(result) > 8.64e15) {
      throw new CommandError('Overflow', `${name} overflowed: the date is out of range`);
    }
    return dateOf(BigInt(result));
  });

/** `startOfWeek`: Sunday when it is not given, and only looked at for weeks. */
function weekStart(values: NamedValues, name: string, codes: readonly [number, number]): number | undefined {
  return values.has('startOfWeek') ? startOfWeekOf(values.get('startOfWeek'), name, codes) : 0;
}

const dateDiff = named(DIFF, (values, _, name) => {
  const [start, end] = [values.get('startDate'), values.get('endDate')];
  const unit = unitOf(values.get('unit'), name, 5439013);
  const zone = zoneOf(values);
  const first = unit === 'week' ? weekStart(values, name, [5439015, 5439016]) : 0;
  if (isNullish(start) || isNullish(end) || unit === undefined || zone === undefined || first === undefined)
    return null;
  for (const [field, value] of [
    ['startDate', start],
    ['endDate', end],
  ] as const) {
    if (!isDateLike(value)) {
      throw new CommandError(5166307, `$dateDiff requires '${field}' to be a date, but got ${typeName(value)}`);
    }
  }
  return BigInt(unitsBetween(instant(start), instant(end), unit, zone, first));
});

const dateTrunc = named(TRUNC, (values, _, name) => {
  const date = values.get('date');
  const unit = unitOf(values.get('unit'), name, 5439013);
  const zone = zoneOf(values);
  const first = unit === 'week' ? weekStart(values, name, [5439015, 5439016]) : 0;
  const binSize = values.has('binSize') ? values.get('binSize') : 1;
  if (isNullish(date) || unit === undefined || zone === undefined || first === undefined || isNullish(binSize))
    return null;
  if (!isDateLike(date)) {
    throw new CommandError(5439012, `$dateTrunc requires 'date' to be a date, but got ${typeName(date)}`);
  }
  const size = isNumeric(binSize) ? toExactInt64(binSize) : undefined;
  if (size === undefined) {
    throw new CommandError(
      5439017,
      `$dateTrunc requires 'binSize' to be a 64-bit integer, but got value '${String(binSize)}' of type ${typeName(binSize)}`,
    );
  }
  if (size <= 0n)
    throw new CommandError(5439018, `$dateTrunc requires 'binSize' to be greater than 0, but got value ${size}`);
  return new Date(truncate(instant(date), unit, Number(size), zone, first));
});

/** Operators that move, compare and truncate dates. */
export const dateArithmeticOperators: OperatorFamily = {
  $dateAdd: shift(1),
  $dateSubtract: shift(-1),
  $dateDiff: dateDiff,
  $dateTrunc: dateTrunc,
};
