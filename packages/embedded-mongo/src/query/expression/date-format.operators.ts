import { INT64_MAX, isNumeric, toExactInt64 } from '../../bson/number.js';
import { docOf, int32, isDoc, typeName, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { named, type ArgumentRule, type NamedValues } from './arguments.js';
import { isoWeek, isoWeekday, localOf, localOfIso, partsOf } from './calendar.js';
import { instant, zoneOf } from './date-argument.js';
import { assertFormat, assertReadFormat, formatDate, parseDate, parseDateAs } from './date-string.js';
import { display } from './display.js';
import { isNullish } from './operand.js';
import type { Operand, Operator, OperatorFamily } from './operator.js';
import { instantOf } from './time-zone.js';

const NATURAL = ['year', 'month', 'day'];
const ISO = ['isoWeekYear', 'isoWeek', 'isoDayOfWeek'];
const TIME = ['hour', 'minute', 'second', 'millisecond'];

const FROM_PARTS = {
  required: {},
  optional: [...NATURAL, ...ISO, ...TIME, 'timezone'],
  notAnObject: [40519, () => '$dateFromParts only supports an object as its argument'],
  unknown: [40518, (_, field) => `Unrecognized argument to $dateFromParts: ${field}`],
} satisfies ArgumentRule;

const FROM_STRING: ArgumentRule = {
  required: { dateString: [40542, "Missing 'dateString' parameter to $dateFromString"] },
  optional: ['format', 'timezone', 'onNull', 'onError'],
  notAnObject: [40540, (_, type) => `$dateFromString only supports an object as an argument, found: ${type}`],
  unknown: [40541, (_, field) => `Unrecognized argument to $dateFromString: ${field}`],
};

const TO_PARTS: ArgumentRule = {
  required: { date: [40522, "Missing 'date' parameter to $dateToParts"] },
  optional: ['timezone', 'iso8601'],
  notAnObject: [40524, () => '$dateToParts only supports an object as its argument'],
  unknown: [40520, (_, field) => `Unrecognized argument to $dateToParts: ${field}`],
};

const TO_STRING: ArgumentRule = {
  required: { date: [18628, "Missing 'date' parameter to $dateToString"] },
  optional: ['format', 'timezone', 'onNull'],
  notAnObject: [18629, () => '$dateToString only supports an object as its argument'],
  unknown: [18534, (_, field) => `Unrecognized argument to $dateToString: ${field}`],
};

/** One part of `$dateFromParts`; undefined when it is null. Most have to fit 16 bits. */
function part(values: NamedValues, field: string, otherwise: number): number | undefined {
  if (!values.has(field)) return otherwise;
  const value = values.get(field);
  if (isNullish(value)) return undefined;
  const whole = isNumeric(value) ? toExactInt64(value) : undefined;
  if (whole === undefined) {
    throw new CommandError(
      40515,
      `'${field}' must evaluate to an integer, found ${typeName(value)} with value ${display(value)}`,
    );
  }
  const isBounded = !['year', 'isoWeekYear', 'second', 'millisecond'].includes(field);
  if (isBounded && (whole < -32768n || whole > 32767n)) {
    throw new CommandError(
      31034,
      `'${field}' must evaluate to a value in the range [-32768, 32767]; value ${whole} is not in range`,
    );
  }
  // What MongoDB counts in nanoseconds, and what it has to make milliseconds of
  const mostUnits =
    field === 'millisecond' ? INT64_MAX / 1_000_000n : field === 'second' ? INT64_MAX / 1000n : INT64_MAX;
  if (whole > mostUnits || whole < -mostUnits) {
    throw new CommandError(
      'DurationOverflow',
      'Overflow casting from a lower-precision duration to a higher-precision duration',
    );
  }
  return Number(whole);
}

const fromParts = named(FROM_PARTS, (values) => {
  const [hour, minute, second, millisecond] = TIME.map((field) => part(values, field, 0));
  const zone = zoneOf(values);
  if ([hour, minute, second, millisecond].includes(undefined) || zone === undefined) return null;
  const isNatural = values.has('year');
  const [a, b, c] = (isNatural ? NATURAL : ISO).map((field, i) => part(values, field, i === 0 ? 1970 : 1));
  if (a === undefined || b === undefined || c === undefined) return null;
  if (a < (isNatural ? 1 : 1) || a > 9999) {
    throw new CommandError(
      isNatural ? 40523 : 31095,
      `'${isNatural ? 'year' : 'isoWeekYear'}' must evaluate to an integer in the range 1 to 9999, found ${a}`,
    );
  }
  const time = localOf({ year: 1970, hour, minute, second, millisecond } as Parameters<typeof localOf>[0]);
  const day = isNatural ? localOf({ year: a, month: b, day: c }) : localOfIso(a, b, c);
  return new Date(instantOf(day + time, zone));
});

/** `$dateFromParts`, whose parts cannot be mixed. */
const dateFromParts: Operator = (argument, context, name) => {
  if (isDoc(argument)) {
    const has = (field: string): boolean => argument.has(field);
    for (const field of argument.keys()) {
      if (!FROM_PARTS.optional?.includes(field)) throw new CommandError(40518, FROM_PARTS.unknown[1](name, field));
    }
    if (!has('year') && !has('isoWeekYear')) {
      throw new CommandError(40516, "$dateFromParts requires either 'year' or 'isoWeekYear' to be present");
    }
    if (has('year') && ISO.some(has)) {
      throw new CommandError(40489, '$dateFromParts does not allow mixing natural dates with ISO dates');
    }
    if (has('isoWeekYear') && NATURAL.some(has)) {
      throw new CommandError(40525, '$dateFromParts does not allow mixing ISO dates with natural dates');
    }
  }
  return fromParts(argument, context, name);
};

/** The `format` argument: null when it is null, checked by `assert` otherwise. */
function formatOf(
  values: NamedValues,
  name: string,
  code: number,
  assert: (format: string) => void,
): string | null | undefined {
  if (!values.has('format')) return undefined;
  const format = values.get('format');
  if (isNullish(format)) return null;
  if (typeof format !== 'string') {
    throw new CommandError(
      code,
      `${name} requires that 'format' be a string, found: ${typeName(format)} with value ${display(format)}`,
    );
  }
  assert(format);
  return format;
}

const dateFromString = named(FROM_STRING, (values, _, name) => {
  const text = values.get('dateString');
  const format = formatOf(values, name, 40684, assertReadFormat);
  const zone = zoneOf(values);
  if (isNullish(text)) return values.has('onNull') ? values.get('onNull') : null;
  try {
    if (typeof text !== 'string') {
      throw new CommandError(
        'ConversionFailure',
        `$dateFromString requires that 'dateString' be a string, found: ${typeName(text)} with value ${display(text)}`,
      );
    }
    if (zone === undefined || format === null) return null;
    const isZoneGiven = values.has('timezone');
    return format === undefined ? parseDate(text, zone, isZoneGiven) : parseDateAs(text, format, zone, isZoneGiven);
  } catch (error) {
    const isConversion = error instanceof CommandError && error.codeName === 'ConversionFailure';
    if (isConversion && values.has('onError')) return values.get('onError');
    throw error;
  }
});

const dateToParts = named(TO_PARTS, (values) => {
  const date = values.get('date');
  const zone = zoneOf(values);
  const iso = values.has('iso8601') ? values.get('iso8601') : false;
  if (zone === undefined || isNullish(iso)) return null;
  if (typeof iso !== 'boolean') {
    throw new CommandError(40521, `iso8601 must evaluate to a bool, found ${typeName(iso)}`);
  }
  if (isNullish(date)) return null;
  const ms = instant(date);
  return partsDocument(ms + zone.offsetAt(ms), iso);
});

function partsDocument(local: number, isIso: boolean): Value {
  const { year, month, day, hour, minute, second, millisecond } = partsOf(local);
  const { year: weekYear, week } = isoWeek(local);
  const days: [string, number][] = isIso
    ? [
        ['isoWeekYear', weekYear],
        ['isoWeek', week],
        ['isoDayOfWeek', isoWeekday(local)],
      ]
    : [
        ['year', year],
        ['month', month],
        ['day', day],
      ];
  const all: [string, number][] = [
    ...days,
    ['hour', hour],
    ['minute', minute],
    ['second', second],
    ['millisecond', millisecond],
  ];
  return docOf(...all.map(([field, value]): [string, Value] => [field, int32(value)]));
}

const dateToString = named(TO_STRING, (values, _, name): Operand => {
  const date = values.get('date');
  const format = formatOf(values, name, 18533, (given) => assertFormat(given));
  const zone = zoneOf(values);
  if (isNullish(date)) return values.has('onNull') ? values.get('onNull') : null;
  if (zone === undefined || format === null) return null;
  return formatDate(instant(date), zone, format ?? `%Y-%m-%dT%H:%M:%S.%L${zone.isUtc ? 'Z' : ''}`);
});

/** Operators between dates, their parts and strings. */
export const dateFormatOperators: OperatorFamily = {
  $dateFromParts: dateFromParts,
  $dateFromString: dateFromString,
  $dateToParts: dateToParts,
  $dateToString: dateToString,
};
