import { describe, expect, test } from '@jest/globals';
import { ObjectId, Timestamp } from 'bson';
import { date, decimal, double } from '../../../support/bson-values.js';
import { errorOf, evaluate, expectAll, expectErrors } from '../../../support/evaluate.js';

describe('string operators', () => {
  test('count in bytes or in code points', () => {
    expectAll([
      [{ $strLenBytes: 'é😀' }, 'int 6'],
      [{ $strLenCP: 'é😀' }, 'int 2'],
      [{ $indexOfCP: ['a😀b', 'b'] }, 'int 2'],
      [{ $indexOfBytes: ['a😀b', 'b'] }, 'int 5'],
      [{ $indexOfCP: ['abab', 'b', 2] }, 'int 3'],
      [{ $substrCP: ['a😀bc', 1, 2] }, '"😀b"'],
      [{ $substrBytes: ['aéb', 1, 2] }, '"é"'],
      [{ $substr: ['hello', 2, -1] }, '"llo"'],
      [{ $substrCP: [12.5, 0, 3] }, '"12."'],
    ]);
    expectErrors([
      [{ $substrBytes: ['é', 1, 1] }, 28656],
      [{ $substrBytes: ['é', 0, 1] }, 28657],
      [{ $substrCP: ['a', 0, -1] }, 34454],
      [{ $strLenCP: null }, 34471],
      [{ $indexOfCP: ['a', 1] }, 40094],
    ]);
  });

  test('change only ASCII letters, and take null for empty', () => {
    expectAll([
      [{ $toUpper: 'straße é' }, '"STRAßE é"'],
      [{ $toLower: null }, '""'],
      [{ $strcasecmp: ['ABC', 'abd'] }, 'int -1'],
      [{ $concat: ['a', '$nope'] }, 'null'],
    ]);
    expectErrors([
      [{ $concat: ['a', 1] }, 16702],
      [{ $toUpper: { $literal: [1] } }, 16007],
    ]);
  });

  test('split, trim and replace literally', () => {
    expectAll([
      [{ $split: ['a.b..c', '.'] }, '["a", "b", "", "c"]'],
      [{ $trim: { input: '\u00a0 a b \n' } }, '"a b"'],
      [{ $ltrim: { input: 'xxaxx', chars: 'yx' } }, '"axx"'],
      [{ $replaceOne: { input: 'a$a', find: 'a', replacement: { $literal: '$&' } } }, '"$&$a"'],
      [{ $replaceAll: { input: 'a.a.', find: '.', replacement: { $literal: '$$' } } }, '"a$$a$$"'],
      [{ $replaceAll: { input: null, find: 'a', replacement: 'b' } }, 'null'],
    ]);
    expectErrors([
      [{ $split: ['a', ''] }, 40087],
      [{ $split: [1, 'a'] }, 40085],
      [{ $trim: { input: 1 } }, 50699],
      [{ $trim: { chars: 'a' } }, 50695],
      [{ $replaceOne: { input: 1, find: 'a', replacement: 'b' } }, 51746],
    ]);
  });

  test('match regular expressions, counting in code points', () => {
    expectAll([
      [{ $regexFind: { input: '😀ab', regex: '(a)(z)?b' } }, '{ match: "ab", idx: int 1, captures: ["a", null] }'],
      [
        { $regexFindAll: { input: 'aXa', regex: /A/i } },
        '[{ match: "a", idx: int 0, captures: [] }, { match: "a", idx: int 2, captures: [] }]',
      ],
      [{ $regexMatch: { input: 'Abc', regex: '^a', options: 'i' } }, 'true'],
      [{ $regexMatch: { input: null, regex: 'a' } }, 'false'],
      [{ $regexFind: { input: 'a', regex: 'b' } }, 'null'],
    ]);
    expectErrors([
      [{ $regexMatch: { input: 1, regex: 'a' } }, 51104],
      [{ $regexMatch: { input: 'a', regex: 1 } }, 51105],
      [{ $regexMatch: { input: 'a', regex: /a/i, options: 'i' } }, 51107],
      [{ $regexMatch: { input: 'a', regex: '(' } }, 51111],
      [{ $regexMatch: { input: 'a', regex: 'a', options: 'q' } }, 51108],
      [{ $regexMatch: { input: 'a' } }, 31023],
    ]);
  });
});

describe('type operators', () => {
  test('name types as $type does', () => {
    expectAll([
      [{ $type: '$nope' }, '"missing"'],
      [{ $type: 1 }, '"int"'],
      [{ $type: 1n }, '"long"'],
      [{ $type: double(1) }, '"double"'],
      [{ $type: decimal('1') }, '"decimal"'],
      [{ $isNumber: '1' }, 'false'],
    ]);
  });

  test('convert numbers towards zero, and refuse what does not fit', () => {
    expectAll([
      [{ $toInt: -1.9 }, 'int -1'],
      [{ $toInt: '12' }, 'int 12'],
      [{ $toLong: 2147483648.5 }, 'long 2147483648'],
      [{ $toLong: date('1970-01-01T00:00:01Z') }, 'long 1000'],
      [{ $toDouble: '1e3' }, 'double 1000'],
      [{ $toDouble: true }, 'double 1'],
      [{ $toDecimal: 0.1 }, 'decimal 0.100000000000000'],
      [{ $toDecimal: '1.50' }, 'decimal 1.50'],
      [{ $toBool: 'false' }, 'true'],
      [{ $toBool: double(0) }, 'false'],
      [{ $toInt: null }, 'null'],
    ]);
    expect(errorOf(() => evaluate({ $toInt: '1.5' }))).toEqual([
      241,
      "Failed to parse number '1.5' in $convert with no onError value: Did not consume whole string.",
    ]);
    expectErrors([
      [{ $toInt: 2147483648n }, 241],
      [{ $toInt: double(NaN) }, 241],
      [{ $toLong: 1e19 }, 241],
      [{ $toDouble: '0x10' }, 241],
      [{ $toInt: { $literal: [] } }, 241],
      [{ $toDate: 5 }, 241],
      [{ $toInt: [1, 2] }, 50723],
    ]);
  });

  test('convert strings, dates and ids', () => {
    const id = '5f43a1b20000000000000000';
    expectAll([
      [{ $toString: 1.5 }, '"1.5"'],
      [{ $toString: double(3) }, '"3"'],
      [{ $toString: 1e21 }, '"1e+21"'],
      [{ $toString: date('2020-01-02T03:04:05.006Z') }, '"2020-01-02T03:04:05.006Z"'],
      [{ $toString: new ObjectId(id) }, `"${id}"`],
      [{ $toObjectId: id }, `oid ${id}`],
      [{ $toDate: new ObjectId(id) }, 'date 2020-08-24T11:17:06.000Z'],
      [{ $toDate: '2020-01-02' }, 'date 2020-01-02T00:00:00.000Z'],
      [{ $toDate: 1500n }, 'date 1970-01-01T00:00:01.500Z'],
      [{ $tsSecond: new Timestamp({ t: 7, i: 2 }) }, 'long 7'],
    ]);
    expectErrors([
      [{ $toObjectId: 'x' }, 241],
      [{ $toDate: 'yesterday' }, 241],
      [{ $tsSecond: 1 }, 5687301],
    ]);
  });

  test('$convert falls back on errors and null', () => {
    expectAll([
      [{ $convert: { input: 'x', to: 'int', onError: -1 } }, 'int -1'],
      [{ $convert: { input: null, to: 'int', onNull: 'none' } }, '"none"'],
      [{ $convert: { input: '1', to: 16 } }, 'int 1'],
      [{ $convert: { input: '1', to: null } }, 'null'],
    ]);
    expectErrors([
      [{ $convert: { input: 1, to: 'nope' } }, 2],
      [{ $convert: { input: 1, to: 1.5 } }, 9],
      [{ $convert: { input: 1 } }, 9],
    ]);
  });
});
