import { CommandError } from '../../errors.js';
import { addMonths, dayOfYear, isoWeek, isoWeekday, localOf, localOfIso, partsOf, week, weekday } from './calendar.js';
import { instantOf, timeZone, type TimeZone } from './time-zone.js';

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const pad = (value: number, length: number): string => String(value).padStart(length, '0');

function offset(ms: number): string {
  const minutes = Math.abs(Math.trunc(ms / 60_000));
  return (ms < 0 ? '-' : '+') + pad(Math.floor(minutes / 60), 2) + pad(minutes % 60, 2);
}

/** What each specifier of a format stands for, of a local time and its zone's offset. */
const WRITERS: Readonly<Record<string, (local: number, offsetMS: number) => string>> = {
  d: (local) => pad(partsOf(local).day, 2),
  G: (local) => pad(isoWeek(local).year, 4),
  H: (local) => pad(partsOf(local).hour, 2),
  j: (local) => pad(dayOfYear(local), 3),
  L: (local) => pad(partsOf(local).millisecond, 3),
  m: (local) => pad(partsOf(local).month, 2),
  M: (local) => pad(partsOf(local).minute, 2),
  S: (local) => pad(partsOf(local).second, 2),
  u: (local) => String(isoWeekday(local)),
  U: (local) => pad(week(local), 2),
  V: (local) => pad(isoWeek(local).week, 2),
  w: (local) => String(weekday(local) + 1),
  Y: (local) => pad(partsOf(local).year, 4),
  b: (local) => (MONTHS[partsOf(local).month - 1] as string).slice(0, 3),
  B: (local) => MONTHS[partsOf(local).month - 1] as string,
  z: (_, ms) => offset(ms),
  Z: (_, ms) => String(Math.trunc(ms / 60_000)),
  '%': () => '%',
};

/** @throws CommandError when a format has a specifier that `known` does not */
export function assertFormat(format: string, known: object = WRITERS): void {
  for (let i = format.indexOf('%'); i >= 0; i = format.indexOf('%', i + 2)) {
    const specifier = format[i + 1];
    if (specifier === undefined) throw new CommandError(18535, "Unmatched '%' at end of format string");
    if (!Object.hasOwn(known, specifier)) {
      throw new CommandError(18536, `Invalid format character '%${specifier}' in format string`);
    }
  }
}

/** Writes an instant in a format of `$dateToString`. */
export function formatDate(ms: number, zone: TimeZone, format: string): string {
  const offsetMS = zone.offsetAt(ms);
  const local = ms + offsetMS;
  return format.replace(/%(.)/gs, (_, specifier: string) => {
    if (specifier === 'Y') assertWritable(partsOf(local).year);
    if (specifier === 'G') assertWritable(isoWeek(local).year);
    return WRITERS[specifier]?.(local, offsetMS) ?? '';
  });
}

/** @throws CommandError 18537 for a year of more than four digits */
function assertWritable(year: number): void {
  if (year < 0 || year > 9999) {
    throw new CommandError(
      18537,
      `Could not convert date to string: date component was outside the supported range of 0-9999: ${year}`,
    );
  }
}

const failure = (text: string, reason: string): CommandError =>
  new CommandError('ConversionFailure', `Error parsing date string '${text}'; ${reason}`);

const ISO =
  /^\s*(\d{4})-(\d{1,2})(?:-(\d{1,2}))?(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|GMT|UTC|[+-]\d{2}(?::?\d{2})?|[A-Za-z]+\/[A-Za-z_/]+)?\s*$/i;
const COMPACT = /^(\d{4})(\d{2})(\d{2})(?:T?(\d{2}):?(\d{2}):?(\d{2})?(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?$/;
const WORDS =
  /^(?:[A-Za-z]{3,9},?\s+)?(?:([A-Za-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?|(\d{1,2})(?:st|nd|rd|th)?\s+([A-Za-z]{3,9})),?\s+(\d{4})(?:,?\s+(?:at\s+)?(\d{1,2}):(\d{2})(?::(\d{2}))?)?\s*(Z|GMT|UTC|[+-]\d{2}:?\d{2})?$/;

/** Dates in numbers that may be followed by a time and a zone, with what their parts are (timelib's formats, as mongod). */
const DATES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^(\d{4})\/(\d{1,2})\/(\d{1,2})/, ['Y', 'm', 'd']],
  [/^(\d{1,2})\/(\d{1,2})\/(\d{4})/, ['m', 'd', 'Y']],
  [/^(\d{1,2})[-.](\d{1,2})[-.](\d{4})/, ['d', 'm', 'Y']],
  [/^(\d{4})-?W(\d{2})(?:-?([0-7]))?(?!\d)/, ['G', 'V', 'u']],
  [/^(\d{4})[-.]?(\d{3})(?!\d)/, ['Y', 'j']],
  [/^(\d{4})-(\d{1,2})-(\d{1,2})/, ['Y', 'm', 'd']],
];
const TIME = /^(?:[T\s]+(\d{1,2})(?::(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(?:([ap])\.?m\.?)?)?/i;
const ZONE = /^\s*(Z|GMT|UTC|[+-]\d{2}(?::?\d{2})?|[A-Za-z]+\/[A-Za-z_/]+)?\s*$/i;

function readDate(text: string): Found | undefined {
  for (const [pattern, parts] of DATES) {
    const date = pattern.exec(text);
    if (!date) continue;
    const found: Found = Object.fromEntries(parts.map((part, i) => [part, date[i + 1]]));
    const rest = text.slice(date[0].length);
    const time = TIME.exec(rest)!;
    const zone = ZONE.exec(rest.slice(time[0].length));
    const [, H, M, S, L, half] = time;
    if (!zone || (H !== undefined && M === undefined && half === undefined)) continue;
    const hour = half === undefined ? H : String((Number(H) % 12) + (half.toLowerCase() === 'p' ? 12 : 0));
    return { ...found, H: hour, M, S, L, zone: zone[1] };
  }
  return undefined;
}

/** Seconds since the epoch. */
const EPOCH = /^@(-?\d{1,12})$/;

interface Found extends Record<string, number | string | undefined> {
  zone?: string | undefined;
}

function read(text: string): Found | undefined {
  const numeric = ISO.exec(text) ?? COMPACT.exec(text);
  if (numeric) {
    const [, Y, m, d, H, M, S, L, zone] = numeric;
    return { Y, m, d, H, M, S, L, zone };
  }
  const words = WORDS.exec(text);
  if (!words) return readDate(text.trim());
  const [, before, dayAfter, dayBefore, after, Y, H, M, S, zone] = words;
  const m = monthNumber(before ?? after ?? '');
  return m === 0 ? undefined : { Y, m, d: dayAfter ?? dayBefore, H, M, S, zone };
}

const monthNumber = (name: string): number =>
  MONTHS.findIndex((month) => {
    const [full, given] = [month.toLowerCase(), name.toLowerCase()];
    return full === given || (given.length >= 3 && full.startsWith(given));
  }) + 1;

/**
 * Reads a date without a format: ISO 8601 and the usual ways of writing it out.
 * @throws CommandError ConversionFailure for anything else, and for two time zones
 */
export function parseDate(text: string, zone: TimeZone, isZoneGiven: boolean): Date {
  const [, seconds] = EPOCH.exec(text.trim()) ?? [];
  if (seconds !== undefined) return new Date(Number(seconds) * 1000);
  const found = read(text);
  if (!found) {
    const isIncomplete = /^\d{1,2}:\d{2}/.test(text) || /^[A-Za-z]+$/.test(text);
    throw isIncomplete
      ? new CommandError(
          'ConversionFailure',
          `an incomplete date/time string has been found, with elements missing: "${text}"`,
        )
      : failure(text, `0: Unexpected character '${text[0] ?? ''}'`);
  }
  return assemble(text, found, zone, isZoneGiven);
}

function assemble(text: string, found: Found, zone: TimeZone, isZoneGiven: boolean): Date {
  if (found.zone !== undefined && isZoneGiven) {
    throw new CommandError(
      'ConversionFailure',
      'you cannot pass in a date/time string with GMT offset together with a timezone argument',
    );
  }
  const number = (key: string, otherwise: number): number =>
    found[key] === undefined ? otherwise : Number(found[key]);
  const [month, hour, minute, second] = [number('m', 1), number('H', 0), number('M', 0), number('S', 0)];
  const millisecond = found['L'] === undefined ? 0 : Math.trunc(Number(`0.${found['L']}`) * 1000 + 1e-6);
  const time = { hour, minute, second, millisecond };
  if (month < 1 || month > 12 || hour > 24 || minute > 59 || second > 59)
    throw failure(text, '0: The parsed time was invalid');
  const ofDay = localOf({ year: 1970, ...time });
  let local: number;
  if (found['G'] !== undefined) local = localOfIso(number('G', 1970), number('V', 1), number('u', 1)) + ofDay;
  else if (found['j'] !== undefined) {
    local = localOf({ year: number('Y', 1970), day: number('j', 1), ...time });
    if (partsOf(local).year !== number('Y', 1970)) throw failure(text, '0: The parsed date was invalid');
  } else {
    const year = number('Y', 1970);
    const day = number('d', 1);
    if (day < 1 || day > partsOf(addMonths(localOf({ year, month, day: 1 }), 1) - 1).day) {
      throw failure(text, '0: The parsed date was invalid');
    }
    local = localOf({ year, month, day, ...time });
  }
  const own =
    found.zone === undefined
      ? zone
      : timeZone(/^[a-z]{1,3}$/i.test(found.zone) ? found.zone.toUpperCase() : found.zone);
  return new Date(instantOf(local, own));
}

/** What each specifier of a format of `$dateFromString` matches. */
const READERS: Readonly<Record<string, string>> = {
  d: String.raw`\d{1,2}`,
  G: String.raw`\d{4}`,
  H: String.raw`\d{1,2}`,
  j: String.raw`\d{1,3}`,
  L: String.raw`\d{1,3}`,
  m: String.raw`\d{1,2}`,
  M: String.raw`\d{1,2}`,
  S: String.raw`\d{1,2}`,
  u: String.raw`\d`,
  V: String.raw`\d{1,2}`,
  Y: String.raw`\d{4}`,
  b: '[A-Za-z]{3}',
  B: '[A-Za-z]{3,9}',
  z: String.raw`Z|[+-]\d{2}:?\d{2}|[+-]\d{2}|[A-Za-z]+(?:/[A-Za-z_]+)*`,
  Z: String.raw`[+-]\d{1,4}`,
  '%': '%',
};

export const assertReadFormat = (format: string): void => assertFormat(format, READERS);

/** Reads a date in a format of `$dateFromString`. @throws CommandError ConversionFailure when it has another one */
export function parseDateAs(text: string, format: string, zone: TimeZone, isZoneGiven: boolean): Date {
  const specifiers: string[] = [];
  const source = format.replace(/%(.)|[\\^$.*+?()[\]{}|]/gs, (literal, specifier: string | undefined) => {
    if (specifier === undefined) return `\\${literal}`;
    if (specifier !== '%') specifiers.push(specifier);
    return specifier === '%' ? '%' : `(${READERS[specifier] ?? ''})`;
  });
  const match = new RegExp(`^${source}$`).exec(text);
  if (!match) throw failure(text, '0: Format literal not found');
  const found: Found = {};
  specifiers.forEach((specifier, i) => {
    const value = match[i + 1] as string;
    if (specifier === 'z') found.zone = value;
    else if (specifier === 'Z') found.zone = minutesOffset(value);
    else if (specifier === 'b' || specifier === 'B') found['m'] = monthNumber(value);
    else found[specifier] = value;
  });
  const hasYear = found['Y'] !== undefined || found['G'] !== undefined;
  if (!hasYear) {
    throw new CommandError(
      'ConversionFailure',
      `an incomplete date/time string has been found, with elements missing: "${text}"`,
    );
  }
  return assemble(text, found, zone, isZoneGiven);
}

function minutesOffset(value: string): string {
  const minutes = Math.abs(Number(value));
  return `${value[0] ?? '+'}${pad(Math.floor(minutes / 60), 2)}${pad(minutes % 60, 2)}`;
}
