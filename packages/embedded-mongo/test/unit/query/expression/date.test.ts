import { describe, expect, test } from '@jest/globals';
import { Decimal128, ObjectId, Timestamp } from 'bson';
import { date } from '../../../support/bson-values.js';
import { errorOf, evaluate, expectAll, expectErrors } from '../../../support/evaluate.js';

const on = { d: date('2021-01-03T23:30:15.123Z'), summer: date('2024-07-01T12:00:00Z') };

describe('parts of dates', () => {
  test('are ints, but for the ISO year', () => {
    expectAll([
      [{ $year: '$d' }, 'int 2021', on],
      [{ $dayOfWeek: '$d' }, 'int 1', on],
      [{ $isoDayOfWeek: '$d' }, 'int 7', on],
      [{ $week: '$d' }, 'int 1', on],
      [{ $isoWeek: '$d' }, 'int 53', on],
      [{ $isoWeekYear: '$d' }, 'long 2020', on],
      [{ $dayOfYear: ['$d'] }, 'int 3', on],
      [{ $millisecond: '$d' }, 'int 123', on],
      [{ $hour: new Timestamp({ t: 7200, i: 1 }) }, 'int 2'],
      [{ $year: new ObjectId('5f43a1b20000000000000000') }, 'int 2020'],
    ]);
  });

  test('are those of a time zone, by name or offset, with its summer time', () => {
    expectAll([
      [{ $dayOfMonth: { date: '$d', timezone: 'Europe/Berlin' } }, 'int 4', on],
      [{ $hour: { date: '$summer', timezone: 'America/New_York' } }, 'int 8', on],
      [{ $hour: { date: '$d', timezone: '-0230' } }, 'int 21', on],
      [{ $minute: { date: '$d', timezone: '+05:45' } }, 'int 15', on],
      [{ $hour: { date: '$d', timezone: null } }, 'null', on],
      [
        { $dateToParts: { date: '$d', iso8601: true } },
        '{ isoWeekYear: int 2020, isoWeek: int 53, isoDayOfWeek: int 7, hour: int 23, minute: int 30, second: int 15, millisecond: int 123 }',
        on,
      ],
    ]);
    expect(errorOf(() => evaluate({ $hour: { date: '$d', timezone: 'Mars/Base' } }, on))).toEqual([
      40485,
      'unrecognized time zone identifier: "Mars/Base"',
    ]);
    expectErrors([
      [{ $year: 'x' }, 16006],
      [{ $year: [1, 2] }, 40536],
      [{ $year: { date: '$d', bogus: 1 } }, 40535, on],
      [{ $year: { timezone: 'UTC' } }, 40539],
      [{ $dateToParts: { date: '$d', iso8601: 1 } }, 40521, on],
    ]);
  });
});

describe('dates and strings', () => {
  test('are written in any format', () => {
    expectAll([
      [{ $dateToString: { date: '$d' } }, '"2021-01-03T23:30:15.123Z"', on],
      [
        { $dateToString: { date: '$d', format: '%d/%m/%Y %H:%M:%S.%L %j %G-W%V-%u %w %U %%' } },
        '"03/01/2021 23:30:15.123 003 2020-W53-7 1 01 %"',
        on,
      ],
      [{ $dateToString: { date: '$summer', format: '%H %z %Z', timezone: 'America/New_York' } }, '"08 -0400 -240"', on],
      [{ $dateToString: { date: null, onNull: 'none' } }, '"none"'],
      [{ $dateToString: { date: date('+010000-01-01T00:00:00Z'), format: '%m-%d %%Y' } }, '"01-01 %Y"'],
    ]);
    expectErrors([
      [{ $dateToString: { date: '$d', format: '%q' } }, 18536, on],
      [{ $dateToString: { date: date('+010000-01-01T00:00:00Z') } }, 18537],
      [{ $dateToString: { date: '$d', format: '%' } }, 18535, on],
      [{ $dateToString: { format: '%Y' } }, 18628],
    ]);
  });

  test('are read from ISO 8601 and from formats', () => {
    expectAll([
      [{ $dateFromString: { dateString: '2017-02-08T12:10:40.787+0200' } }, 'date 2017-02-08T10:10:40.787Z'],
      [
        { $dateFromString: { dateString: '2017-02-08 12:10:40', timezone: 'America/New_York' } },
        'date 2017-02-08T17:10:40.000Z',
      ],
      [{ $dateFromString: { dateString: 'July 4, 2020 10:00' } }, 'date 2020-07-04T10:00:00.000Z'],
      [{ $dateFromString: { dateString: '2020/02/03' } }, 'date 2020-02-03T00:00:00.000Z'],
      [{ $dateFromString: { dateString: '02/03/2020 14:05' } }, 'date 2020-02-03T14:05:00.000Z'],
      [{ $dateFromString: { dateString: '3.2.2020 2:05 PM' } }, 'date 2020-02-03T14:05:00.000Z'],
      [{ $dateFromString: { dateString: '2020-034' } }, 'date 2020-02-03T00:00:00.000Z'],
      [{ $dateFromString: { dateString: '2020-W05' } }, 'date 2020-01-27T00:00:00.000Z'],
      [{ $dateFromString: { dateString: '2020W056T10:00+01:00' } }, 'date 2020-02-01T09:00:00.000Z'],
      [{ $dateFromString: { dateString: '@1580688000' } }, 'date 2020-02-03T00:00:00.000Z'],
      [{ $dateFromString: { dateString: '06-15-2018', format: '%m-%d-%Y' } }, 'date 2018-06-15T00:00:00.000Z'],
      [
        { $dateFromString: { dateString: '2018-W01-1 +0100', format: '%G-W%V-%u %z' } },
        'date 2017-12-31T23:00:00.000Z',
      ],
      [{ $dateFromString: { dateString: 'x', onError: 'bad' } }, '"bad"'],
      [{ $dateFromString: { dateString: null, onNull: 'none' } }, '"none"'],
    ]);
    expectErrors([
      [{ $dateFromString: { dateString: '2017-13-01' } }, 241],
      [{ $dateFromString: { dateString: '13/13/2020' } }, 241],
      [{ $dateFromString: { dateString: '2020-400' } }, 241],
      [{ $dateFromString: { dateString: '2017-02-30' } }, 241],
      [{ $dateFromString: { dateString: '2017-02-08', format: '%d-%m' } }, 241],
      [{ $dateFromString: { dateString: '2017-02-08Z', timezone: 'UTC' } }, 241],
      [{ $dateFromString: { dateString: 5 } }, 241],
      [{ $dateFromString: { format: '%Y' } }, 40542],
      [{ $dateFromString: 'x' }, 40540],
    ]);
  });

  test('are made of parts, which carry', () => {
    expectAll([
      [{ $dateFromParts: { year: 2017, month: 14, day: 0, hour: 25 } }, 'date 2018-02-01T01:00:00.000Z'],
      [{ $dateFromParts: { year: 50 } }, 'date 0050-01-01T00:00:00.000Z'],
      [{ $dateFromParts: { isoWeekYear: 2020, isoWeek: 53, isoDayOfWeek: 7 } }, 'date 2021-01-03T00:00:00.000Z'],
      [{ $dateFromParts: { year: 2024, month: 7, timezone: 'Europe/Berlin' } }, 'date 2024-06-30T22:00:00.000Z'],
      [{ $dateFromParts: { year: '$nope' } }, 'null'],
    ]);
    expectErrors([
      [{ $dateFromParts: { year: 2020, isoWeek: 1 } }, 40489],
      [{ $dateFromParts: { month: 1 } }, 40516],
      [{ $dateFromParts: { year: 10000 } }, 40523],
      [{ $dateFromParts: { year: 1970, millisecond: 2 ** 54 } }, 159],
      [{ $dateFromParts: { year: 'x' } }, 40515],
      [{ $dateFromParts: { year: 2020, month: 40000 } }, 31034],
    ]);
  });
});

describe('date arithmetic', () => {
  const at = (expression: object): string =>
    evaluate(expression, { d: date('2020-10-31T06:00:00Z'), e: date('2024-01-31T10:00:00Z') });

  test('adds months to their last day, and days over a change of the clocks', () => {
    expect(at({ $dateAdd: { startDate: '$e', unit: 'month', amount: 1 } })).toBe('date 2024-02-29T10:00:00.000Z');
    expect(at({ $dateSubtract: { startDate: '$e', unit: 'quarter', amount: 1n } })).toBe(
      'date 2023-10-31T10:00:00.000Z',
    );
    const add = (unit: string) =>
      at({ $dateAdd: { startDate: '$d', unit, amount: unit === 'day' ? 1 : 24, timezone: 'America/New_York' } });
    expect(add('day')).toBe('date 2020-11-01T07:00:00.000Z');
    expect(add('hour')).toBe('date 2020-11-01T06:00:00.000Z');
    expectErrors([
      [{ $dateAdd: { startDate: '$d', unit: 'eon', amount: 1 } }, 9, on],
      [{ $dateAdd: { startDate: '$d', unit: 'day' } }, 5166402, on],
      [{ $dateAdd: { startDate: 'x', unit: 'day', amount: 1 } }, 5166403],
      [{ $dateAdd: { startDate: '$d', unit: 'day', amount: 1.5 } }, 5166405, on],
    ]);
  });

  test('counts the boundaries between two dates, as a long', () => {
    const diff = (unit: string, start: string, end: string, more: object = {}) =>
      at({ $dateDiff: { startDate: date(start), endDate: date(end), unit, ...more } });
    expect(diff('year', '2020-12-31T23:59:59Z', '2021-01-01T00:00:00Z')).toBe('long 1');
    expect(diff('month', '2021-03-01T00:00:00Z', '2020-12-31T00:00:00Z')).toBe('long -3');
    expect(diff('week', '2021-01-02T00:00:00Z', '2021-01-03T00:00:00Z')).toBe('long 1');
    expect(diff('week', '2021-01-02T00:00:00Z', '2021-01-03T00:00:00Z', { startOfWeek: 'Mon' })).toBe('long 0');
    expect(diff('hour', '2021-01-01T00:59:00Z', '2021-01-01T01:00:00Z')).toBe('long 1');
    expect(diff('day', '2021-01-01T22:00:00Z', '2021-01-01T23:30:00Z', { timezone: 'Europe/Berlin' })).toBe('long 1');
    // local time before zones had whole hours: mongod takes only the whole hours of a change of clocks out
    expect(diff('second', '1800-01-01T00:00:00Z', '2020-01-01T00:00:00Z', { timezone: 'Europe/Dublin' })).toBe(
      `long ${6942499200 + 1521}`,
    );
    expectErrors([[{ $dateDiff: { startDate: 1, endDate: '$d', unit: 'day' } }, 5166307, on]]);
  });

  test('truncates to bins counted from the year 2000', () => {
    const trunc = (spec: object) => at({ $dateTrunc: { date: '$e', ...spec } });
    expect(trunc({ unit: 'month' })).toBe('date 2024-01-01T00:00:00.000Z');
    expect(trunc({ unit: 'week', startOfWeek: 'monday' })).toBe('date 2024-01-29T00:00:00.000Z');
    expect(trunc({ unit: 'week' })).toBe('date 2024-01-28T00:00:00.000Z');
    expect(trunc({ unit: 'hour', binSize: 3 })).toBe('date 2024-01-31T09:00:00.000Z');
    expect(trunc({ unit: 'day', timezone: 'America/Los_Angeles' })).toBe('date 2024-01-31T08:00:00.000Z');
    expect(trunc({ unit: 'year', binSize: 10 })).toBe('date 2020-01-01T00:00:00.000Z');
    expectErrors([
      [{ $dateTrunc: { date: '$d', unit: 'day', binSize: 0 } }, 5439018, on],
      [{ $dateTrunc: { date: 'x', unit: 'day' } }, 5439012],
      [{ $dateTrunc: { unit: 'day' } }, 5439009],
    ]);
  });

  test('counts by the Gregorian calendar before 1582, too, where a zone shows its mean solar time', () => {
    const first = { f: date('0001-01-01T00:00:00Z') };
    expectAll([
      [{ $dateToParts: { date: '$f', timezone: 'Europe/Paris' } }, '{ year: int 1, month: int 1, day: int 1, hour: int 0, minute: int 9, second: int 21, millisecond: int 0 }', first], // prettier-ignore
      [{ $dateFromParts: { year: 1, timezone: 'Africa/Casablanca' } }, 'date 0001-01-01T00:30:20.000Z'],
      [{ $dateTrunc: { date: '$f', unit: 'hour', timezone: 'Europe/Paris' } }, 'date 0001-01-01T00:00:00.000Z', first],
    ]);
  });

  test('with a fraction added is rounded: half up for doubles, half even for decimals', () => {
    expectAll([
      [{ $add: [new Date(-1), 2.5] }, 'date 1970-01-01T00:00:00.002Z'],
      [{ $add: [new Date(0), 2.5] }, 'date 1970-01-01T00:00:00.003Z'],
      [{ $add: [new Date(-1), Decimal128.fromString('2.5')] }, 'date 1970-01-01T00:00:00.002Z'],
      [{ $add: [new Date(0), Decimal128.fromString('2.5')] }, 'date 1970-01-01T00:00:00.002Z'],
      [{ $add: [new Date(-3), Decimal128.fromString('0.5')] }, 'date 1969-12-31T23:59:59.998Z'],
    ]);
  });

  test('shows the offset of a zone in minutes as a number', () => {
    const format = { format: '%z %Z' };
    expectAll([
      [{ $dateToString: { date: '$d', ...format } }, '"+0000 0"', on],
      [{ $dateToString: { date: '$d', ...format, timezone: 'Asia/Kolkata' } }, '"+0530 330"', on],
      [{ $dateToString: { date: '$d', ...format, timezone: '-0130' } }, '"-0130 -90"', on],
    ]);
  });
});
