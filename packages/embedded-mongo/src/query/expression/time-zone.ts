import { CommandError } from '../../errors.js';

/** A time zone: how far its clocks are ahead of UTC, in milliseconds, at an instant. */
export interface TimeZone {
  readonly isUtc: boolean;
  offsetAt(ms: number): number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The Gregorian calendar's first day. `Intl` counts by the Julian one before; no clock was changed then. */
const GREGORIAN = Date.UTC(1582, 9, 15) + DAY;

export const UTC: TimeZone = { isUtc: true, offsetAt: () => 0 };

const OFFSET = /^([+-])(\d{2})(?::?(\d{2}))?$/;
const zones = new Map<string, TimeZone>([
  ['UTC', UTC],
  ['GMT', UTC],
  ['Z', UTC],
  ['', UTC],
]);

/** The zone of an Olson identifier or of an offset such as `+0530`. @throws CommandError 40485 when there is none */
export function timeZone(id: string): TimeZone {
  let zone = zones.get(id);
  if (zone === undefined) zones.set(id, (zone = fixedZone(id) ?? olsonZone(id)));
  return zone;
}

function fixedZone(id: string): TimeZone | undefined {
  const match = OFFSET.exec(id);
  if (!match) return undefined;
  const offset = (match[1] === '-' ? -1 : 1) * (Number(match[2]) * HOUR + Number(match[3] ?? 0) * MINUTE);
  return { isUtc: offset === 0, offsetAt: () => offset };
}

function olsonZone(id: string): TimeZone {
  let format: Intl.DateTimeFormat;
  try {
    if (!/^[A-Za-z]/.test(id)) throw new RangeError(id);
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: id,
      calendar: 'iso8601',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
      era: 'short',
    });
  } catch {
    throw new CommandError(40485, `unrecognized time zone identifier: "${id}"`);
  }
  return {
    isUtc: false,
    offsetAt(given) {
      const ms = Math.max(given, GREGORIAN);
      const parts: Record<string, string> = {};
      for (const { type, value } of format.formatToParts(ms)) parts[type] = value;
      const year = parts['era']?.startsWith('B') ? 1 - Number(parts['year']) : Number(parts['year']);
      const local = new Date(0);
      local.setUTCFullYear(year, Number(parts['month']) - 1, Number(parts['day']));
      local.setUTCHours(Number(parts['hour']), Number(parts['minute']), Number(parts['second']));
      return local.getTime() - Math.floor(ms / 1000) * 1000;
    },
  };
}

/** The instant at which the clocks of a zone show a local time; the earlier of two, and past a gap if there is none. */
export function instantOf(local: number, zone: TimeZone): number {
  const before = zone.offsetAt(local - DAY);
  if (zone.offsetAt(local - before) === before) return local - before;
  const after = zone.offsetAt(local + DAY);
  return zone.offsetAt(local - after) === after ? local - after : local - before;
}
