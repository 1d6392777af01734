import { typeName } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { addMonths, DAY_MS, dayNumber, localOf, partsOf, weekday } from './calendar.js';
import { isNullish } from './operand.js';
import type { Operand } from './operator.js';
import { instantOf, type TimeZone } from './time-zone.js';

const UNITS = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second', 'millisecond'] as const;
export type DateUnit = (typeof UNITS)[number];

const HOUR_MS = 3_600_000;
const MONTHS_OF: Partial<Record<DateUnit, number>> = { year: 12, quarter: 3, month: 1 };
const DAYS_OF: Partial<Record<DateUnit, number>> = { week: 7, day: 1 };
const MS_OF: Partial<Record<DateUnit, number>> = { hour: HOUR_MS, minute: 60_000, second: 1000, millisecond: 1 };

/** @throws CommandError FailedToParse for what is no unit of time */
export function parseUnit(value: string): DateUnit {
  const unit = UNITS.find((known) => known === value);
  if (unit === undefined) throw new CommandError('FailedToParse', `unknown time unit value: ${value}`);
  return unit;
}

/** The `unit` argument of an operator; undefined when it is null. */
export function unitOf(value: Operand, name: string, code: number): DateUnit | undefined {
  if (isNullish(value)) return undefined;
  if (typeof value !== 'string') {
    throw new CommandError(code, `${name} requires 'unit' to be a string, but got ${typeName(value)}`);
  }
  return parseUnit(value);
}

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

/** The weekday a week begins with, 0 for Sunday; undefined when it is null. */
export function startOfWeekOf(value: Operand, name: string, codes: readonly [number, number]): number | undefined {
  if (isNullish(value)) return undefined;
  if (typeof value !== 'string') {
    throw new CommandError(codes[0], `${name} requires 'startOfWeek' to be a string, but got ${typeName(value)}`);
  }
  const text = value.toLowerCase();
  const day = WEEKDAYS.findIndex((weekdayName) => weekdayName === text || weekdayName.slice(0, 3) === text);
  if (day < 0)
    throw new CommandError(
      codes[1],
      `${name} parameter 'startOfWeek' value cannot be recognized as a day of a week: ${value}`,
    );
  return day;
}

/** Adds units to an instant: days and longer by the calendar of the zone, shorter ones by the clock. */
export function addUnits(ms: number, unit: DateUnit, amount: number, zone: TimeZone): number {
  const fixed = MS_OF[unit];
  if (fixed !== undefined) return ms + amount * fixed;
  const local = ms + zone.offsetAt(ms);
  const months = MONTHS_OF[unit];
  const moved =
    months === undefined ? local + amount * (DAYS_OF[unit] ?? 1) * DAY_MS : addMonths(local, amount * months);
  return instantOf(moved, zone);
}

const monthNumber = (local: number): number => {
  const { year, month } = partsOf(local);
  return year * 12 + month - 1;
};

const weekNumber = (local: number, startOfWeek: number): number =>
  Math.floor((dayNumber(local) - ((weekday(local) - startOfWeek + 7) % 7)) / 7);

/** How many boundaries of the unit lie between two instants. */
export function unitsBetween(start: number, end: number, unit: DateUnit, zone: TimeZone, startOfWeek: number): number {
  const offsets = [zone.offsetAt(start), zone.offsetAt(end)] as const;
  const [from, to] = [start + offsets[0], end + offsets[1]];
  const fixed = MS_OF[unit];
  if (fixed !== undefined) {
    // As mongod counts: by the clocks of the zone, less the whole hours by which they were changed in between
    const changed = Math.trunc((offsets[1] - offsets[0]) / HOUR_MS) * HOUR_MS;
    return Math.floor(to / fixed) - Math.floor(from / fixed) - Math.trunc(changed / fixed);
  }
  if (unit === 'day') return dayNumber(to) - dayNumber(from);
  if (unit === 'week') return weekNumber(to, startOfWeek) - weekNumber(from, startOfWeek);
  const months = MONTHS_OF[unit] ?? 1;
  return Math.floor(monthNumber(to) / months) - Math.floor(monthNumber(from) / months);
}

/** The first day on or after 1 January 2000, where bins are counted from, that begins a week. */
const referenceWeek = (startOfWeek: number): number => localOf({ year: 2000, day: 1 + ((startOfWeek + 1) % 7) });

/** The beginning of the bin of units an instant lies in. */
export function truncate(ms: number, unit: DateUnit, size: number, zone: TimeZone, startOfWeek: number): number {
  const fixed = MS_OF[unit];
  if (fixed !== undefined) {
    const reference = instantOf(localOf({ year: 2000 }), zone);
    return reference + Math.floor((ms - reference) / (fixed * size)) * fixed * size;
  }
  const local = ms + zone.offsetAt(ms);
  const days = DAYS_OF[unit];
  if (days !== undefined) {
    const reference = unit === 'week' ? referenceWeek(startOfWeek) : localOf({ year: 2000 });
    const bin = days * size * DAY_MS;
    return instantOf(reference + Math.floor((local - reference) / bin) * bin, zone);
  }
  const bin = (MONTHS_OF[unit] ?? 1) * size;
  const month = Math.floor((monthNumber(local) - 24_000) / bin) * bin;
  return instantOf(localOf({ year: 2000, month: month + 1 }), zone);
}
