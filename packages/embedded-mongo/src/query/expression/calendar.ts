/** Calendar arithmetic on local times: milliseconds since 1970 as the clocks of a zone count them. */

export const DAY_MS = 86_400_000;

/** The parts of a date; months from 1, hours from 0. */
export interface DateParts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
}

/** The local time of parts; a part past its range carries into the next one. */
export function localOf(parts: Partial<DateParts> & { readonly year: number }): number {
  const date = new Date(0);
  date.setUTCFullYear(parts.year, (parts.month ?? 1) - 1, parts.day ?? 1);
  const time = ((parts.hour ?? 0) * 60 + (parts.minute ?? 0)) * 60 + (parts.second ?? 0);
  return date.getTime() + time * 1000 + (parts.millisecond ?? 0);
}

export function partsOf(local: number): DateParts {
  const date = new Date(local);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: date.getUTCMilliseconds(),
  };
}

const startOfYear = (year: number): number => localOf({ year });
export const dayNumber = (local: number): number => Math.floor(local / DAY_MS);

/** 0 (Sunday) to 6. */
export const weekday = (local: number): number => new Date(local).getUTCDay();
/** 1 (Monday) to 7. */
export const isoWeekday = (local: number): number => weekday(local) || 7;
/** 1 to 366. */
export const dayOfYear = (local: number): number => dayNumber(local) - dayNumber(startOfYear(partsOf(local).year)) + 1;
/** 0 to 53: weeks begin on Sundays, and the days before the first one are in week 0. */
export const week = (local: number): number => Math.floor((dayOfYear(local) + 6 - weekday(local)) / 7);

/** The ISO 8601 week and the year it belongs to, which is the year of its Thursday. */
export function isoWeek(local: number): { year: number; week: number } {
  const thursday = local + (4 - isoWeekday(local)) * DAY_MS;
  return { year: partsOf(thursday).year, week: Math.floor((dayOfYear(thursday) - 1) / 7) + 1 };
}

/** The local midnight of an ISO 8601 week date; parts past their ranges carry. */
export function localOfIso(year: number, isoWeekNumber: number, isoDay: number): number {
  const fourth = localOf({ year, day: 4 });
  return fourth + (1 - isoWeekday(fourth) + (isoWeekNumber - 1) * 7 + isoDay - 1) * DAY_MS;
}

/** Adds months; a day past the end of the month becomes its last. */
export function addMonths(local: number, months: number): number {
  const parts = partsOf(local);
  const last = partsOf(localOf({ year: parts.year, month: parts.month + months + 1, day: 0 })).day;
  return localOf({ ...parts, month: parts.month + months, day: Math.min(parts.day, last) });
}
