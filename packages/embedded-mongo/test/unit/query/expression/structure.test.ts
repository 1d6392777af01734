import { describe, expect, test } from '@jest/globals';
import { Timestamp } from 'bson';
import { errorOf, evaluate, expectAll, expectErrors } from '../../../support/evaluate.js';
import { value } from '../../../support/bson-values.js';

describe('field paths', () => {
  test('map over arrays, through arrays of arrays too, and never take a number for an index', () => {
    expectAll([
      ['$a.b', '[int 1, int 2]', { a: [{ b: 1 }, { c: 3 }, 7, { b: 2 }] }],
      ['$a.b', '[]', { a: [1, 2] }],
      ['$a.b', '[[int 1]]', { a: [[{ b: 1 }], { b: [1] }].slice(1) }],
      ['$a.0', '[]', { a: [5] }],
      ['$a.0', 'int 5', { a: { 0: 5 } }],
      ['$a.b', 'missing', { a: 1 }],
    ]);
  });

  test('that are not well formed are refused', () => {
    expectErrors([
      ['$', 16872],
      ['$a.', 40353],
      ['$a..b', 15998],
      ['$a.$b', 16410],
      ['$$nope', 17276],
      ['$$Nope', 17276],
      ['$$1a', 9],
    ]);
  });
});

describe('variables', () => {
  test('of the system have their values', () => {
    const now = new Date('2024-05-06T07:08:09.010Z');
    const clusterTime = new Timestamp({ t: 5, i: 1 });
    expect(evaluate('$$NOW', {}, { now })).toBe('date 2024-05-06T07:08:09.010Z');
    expect(evaluate('$$CLUSTER_TIME', {}, { clusterTime })).toBe('timestamp 5,1');
    expectAll([
      ['$$ROOT', '{ a: int 1 }', { a: 1 }],
      ['$$CURRENT.a', 'int 1', { a: 1 }],
      [{ a: '$$REMOVE', b: 1 }, '{ b: int 1 }'],
      [['$$REMOVE', '$missing'], '[null, null]'],
    ]);
  });

  test('of the command are read each time', () => {
    const variables = new Map([['x', value({ y: 2 })]]);
    expect(evaluate('$$x.y', {}, { variables })).toBe('int 2');
  });

  test('of $let hide those outside, and CURRENT moves what a path starts from', () => {
    expectAll([
      [{ $let: { vars: { x: 1, y: '$a' }, in: ['$$x', '$$y'] } }, '[int 1, int 2]', { a: 2 }],
      [{ $let: { vars: { x: 1 }, in: { $let: { vars: { x: 2, y: '$$x' }, in: ['$$x', '$$y'] } } } }, '[int 2, int 1]'],
      [{ $let: { vars: { CURRENT: '$a' }, in: '$b' } }, 'int 3', { a: { b: 3 } }],
    ]);
    expectErrors([
      [{ $let: { vars: { X: 1 }, in: 1 } }, 9],
      [{ $let: { vars: {} } }, 16877],
      [{ $let: { in: 1 } }, 16876],
      [{ $let: { vars: {}, in: 1, at: 2 } }, 16875],
    ]);
  });
});

describe('an expression', () => {
  test('that is no known operator is refused by its name', () => {
    expect(errorOf(() => evaluate({ $bogus: 1 }))).toEqual([168, "Unrecognized expression '$bogus'"]);
    expectErrors([
      [{ $add: [1], $subtract: [1, 2] }, 15983],
      [{ a: 1, $b: 2 }, 16410],
      [{ 'a.b': 1 }, 16412],
    ]);
  });

  test('with the wrong number of operands is refused', () => {
    expect(errorOf(() => evaluate({ $subtract: [1] }))).toEqual([
      16020,
      'Expression $subtract takes exactly 2 arguments. 1 were passed in.',
    ]);
    expect(errorOf(() => evaluate({ $round: [1, 2, 3] }))).toEqual([
      28667,
      'Expression $round takes at least 1 arguments, and at most 2, but 3 were passed in.',
    ]);
  });

  test('of constants that fails does so before any document is read', () => {
    expect(errorOf(() => evaluate({ $cond: [true, 1, { $divide: [1, 0] }] }))[0]).toBe(16608);
  });

  test('under $literal is not evaluated', () => {
    expectAll([[{ $literal: { $add: ['$a', 1] } }, '{ $add: ["$a", int 1] }']]);
  });
});
