import { describe, expect, test } from '@jest/globals';
import { aggregate, MemoryHost } from '../../../support/aggregate.js';
import { date } from '../../../support/bson-values.js';
import { errorOf } from '../../../support/evaluate.js';

const codeOf = (...args: Parameters<typeof aggregate>): number => errorOf(() => aggregate(...args))[0];

/** The values a window function gives to documents `{ p, x, y }`, one partition and sorted by `x`. */
function windowed(output: object, docs: readonly object[], sortBy: object = { x: 1 }): string {
  const [result] = aggregate(
    [
      { $setWindowFields: { partitionBy: '$p', sortBy, output: { r: output } } },
      { $group: { _id: null, r: { $push: '$r' } } },
    ],
    docs,
  );
  return /r: \[(.*)\]/.exec(result ?? '')?.[1] ?? '';
}

describe('$setWindowFields', () => {
  const docs = [
    { x: 3, y: 30 },
    { x: 1, y: 10 },
    { x: 2, y: 20n },
    { x: 2, y: 5 },
  ];

  test('computes over windows by position, which grow, slide or lie ahead', () => {
    const sum = (documents: unknown[]) => windowed({ $sum: '$y', window: { documents } }, docs);
    expect(sum(['unbounded', 'current'])).toBe('int 10, long 30, long 35, long 65');
    expect(sum([-1, 0])).toBe('int 10, long 30, long 25, int 35');
    expect(sum([1, 2])).toBe('long 25, int 35, int 30, int 0');
    expect(windowed({ $max: '$y' }, docs)).toBe('int 30, int 30, int 30, int 30');
  });

  test('computes over ranges of numbers and of dates', () => {
    expect(windowed({ $sum: '$y', window: { range: [-1, 0] } }, docs)).toBe('int 10, long 35, long 35, long 55');
    const days = ['01', '02', '05'].map((day, i) => ({ x: date(`2024-01-${day}T00:00:00Z`), y: i + 1 }));
    expect(windowed({ $sum: '$y', window: { range: [-2, 'current'], unit: 'day' } }, days)).toBe('int 1, int 3, int 3');
    expect(
      codeOf([{ $setWindowFields: { sortBy: { x: 1 }, output: { r: { $sum: 1, window: { range: [0, 1] } } } } }], days),
    ).toBe(5429414);
  });

  test('a range to the current document ends at its position, one to 0 takes its equals in', () => {
    const sum = (range: unknown[]) => windowed({ $sum: '$y', window: { range } }, docs);
    expect(sum(['unbounded', 'current'])).toBe('int 10, long 30, long 35, long 65');
    expect(sum(['unbounded', 0])).toBe('int 10, long 35, long 35, long 65');
    expect(sum(['current', 'unbounded'])).toBe('long 65, long 55, int 35, int 30');
  });

  test('ranks with longs, equals alike', () => {
    expect(windowed({ $rank: {} }, docs)).toBe('long 1, long 2, long 2, long 4');
    expect(windowed({ $denseRank: {} }, docs)).toBe('long 1, long 2, long 2, long 3');
    expect(windowed({ $documentNumber: {} }, docs)).toBe('long 1, long 2, long 3, long 4');
    expect(windowed({ $shift: { output: '$y', by: -1, default: 'none' } }, docs)).toBe(
      '"none", int 10, long 20, int 5',
    );
  });

  test('follows series', () => {
    const series = [{ x: 0, y: 0 }, { x: 1, y: null }, { x: 2, y: 4 }, { x: 4, y: 10 }, { x: 5 }];
    expect(windowed({ $locf: '$y' }, series)).toBe('int 0, int 0, int 4, int 10, int 10');
    expect(windowed({ $linearFill: '$y' }, series)).toBe('int 0, double 2, int 4, int 10, null');
    const line = [
      { x: 0, y: 0 },
      { x: 2, y: 4 },
      { x: 4, y: 10 },
    ];
    const window = { documents: [-1, 0] };
    expect(windowed({ $derivative: { input: '$y' }, window }, line)).toBe('null, double 2, double 3');
    expect(windowed({ $integral: { input: '$y' }, window: { documents: ['unbounded', 'current'] } }, line)).toBe(
      'int 0, double 4, double 18',
    );
    expect(windowed({ $expMovingAvg: { input: '$y', N: 3 } }, line)).toBe('double 0, double 2, double 6');
    expect(windowed({ $covariancePop: ['$x', '$y'] }, line)).toMatch(/^double 6\.6/);
  });

  test('keeps partitions apart, in the order of their values', () => {
    const parted = [
      { p: 'b', x: 1 },
      { p: 'a', x: 2 },
      { p: 'a', x: 1 },
    ];
    const stage = {
      $setWindowFields: {
        partitionBy: '$p',
        sortBy: { x: 1 },
        output: { 'r.n': { $sum: '$x', window: { documents: ['unbounded', 'current'] } } },
      },
    };
    expect(aggregate([stage], parted)).toEqual([
      '{ p: "a", x: int 1, r: { n: int 1 } }',
      '{ p: "a", x: int 2, r: { n: int 3 } }',
      '{ p: "b", x: int 1, r: { n: int 1 } }',
    ]);
    expect(codeOf([stage], [{ p: [1] }])).toBe(14);
  });

  test('refuses functions and windows it does not know', () => {
    const code = (output: object, sortBy?: object) =>
      codeOf([{ $setWindowFields: { ...(sortBy && { sortBy }), output: { r: output } } }], [{}]);
    expect(code({ $summ: 1 })).toBe(9);
    expect(code({ total: 1 })).toBe(9);
    expect(code({ $sum: 1, window: { documents: [1, 0] } }, { x: 1 })).toBe(5339900);
    expect(code({ $sum: 1, window: { documents: [0, 1] } })).toBe(5339901);
    expect(code({ $sum: 1, window: { range: [0, 1] } })).toBe(5339902);
    expect(code({ $rank: {} })).toBe(5371602);
    expect(code({ $rank: { a: 1 } }, { x: 1 })).toBe(5371603);
    expect(codeOf([{ $setWindowFields: { output: {}, bogus: 1 } }])).toBe(40415);
  });
});

describe('$fill', () => {
  test('carries forward, interpolates and sets, by partition', () => {
    const docs = [
      { p: 1, x: 1, y: 1, z: 5 },
      { p: 1, x: 2 },
      { p: 2, x: 3 },
      { p: 1, x: 3, y: 3 },
    ];
    const output = { y: { method: 'linear' }, z: { method: 'locf' }, w: { value: '$x' } };
    expect(aggregate([{ $fill: { partitionByFields: ['p'], sortBy: { x: 1 }, output } }], docs)).toEqual([
      '{ p: int 1, x: int 1, y: int 1, z: int 5, w: int 1 }',
      '{ p: int 1, x: int 2, y: double 2, z: int 5, w: int 2 }',
      '{ p: int 1, x: int 3, y: int 3, z: int 5, w: int 3 }',
      '{ p: int 2, x: int 3, y: null, z: null, w: int 3 }',
    ]);
    expect(codeOf([{ $fill: { output: {} } }])).toBe(6050203);
    expect(codeOf([{ $fill: { output: { y: { method: 'x' } } } }])).toBe(6050202);
  });
});

describe('$densify', () => {
  const densify = (range: object, docs: object[], partitionByFields?: string[]) =>
    aggregate([{ $densify: { field: 'x', range, ...(partitionByFields && { partitionByFields }) } }], docs);

  test('fills between bounds, the upper one excluded, and keeps what is there', () => {
    expect(densify({ step: 2, bounds: [0, 5] }, [{ x: 1, a: 1 }, { x: 4 }, { x: 9 }])).toEqual([
      '{ x: int 0 }',
      '{ x: int 1, a: int 1 }',
      '{ x: int 2 }',
      '{ x: int 4 }',
      '{ x: int 9 }',
    ]);
  });

  test('fills each partition over its own range', () => {
    expect(
      densify(
        { step: 1, bounds: 'partition' },
        [
          { p: 1, x: 1 },
          { p: 1, x: 3 },
          { p: 2, x: 7 },
        ],
        ['p'],
      ),
    ).toEqual(['{ p: int 1, x: int 1 }', '{ p: int 1, x: int 2 }', '{ p: int 1, x: int 3 }', '{ p: int 2, x: int 7 }']);
  });

  test('steps over dates by the calendar', () => {
    const docs = [{ x: date('2024-01-31T00:00:00Z') }, { x: date('2024-03-31T00:00:00Z') }];
    expect(densify({ step: 1, unit: 'month', bounds: 'full' }, docs)).toContain('{ x: date 2024-02-29T00:00:00.000Z }');
  });

  test('refuses ranges that make no sense', () => {
    const code = (range: object) => errorOf(() => densify(range, []))[0];
    expect(code({ step: 0, bounds: 'full' })).toBe(5733401);
    expect(code({ step: 1, bounds: 'partition' })).toBe(5733408);
    expect(code({ step: 1, bounds: [2, 1] })).toBe(5733402);
    expect(code({ step: 1, bounds: [1, 2.5] })).toBe(5876900);
  });
});

describe('$bucketAuto', () => {
  const docs = [1, 2, 2, 3, 10, 20].map((v) => ({ v }));
  const buckets = (spec: object) => aggregate([{ $bucketAuto: { groupBy: '$v', ...spec } }], docs);

  test('shares documents out, equal values together', () => {
    expect(buckets({ buckets: 3 })).toEqual([
      '{ _id: { min: int 1, max: int 3 }, count: int 3 }',
      '{ _id: { min: int 3, max: int 20 }, count: int 2 }',
      '{ _id: { min: int 20, max: int 20 }, count: int 1 }',
    ]);
  });

  test('rounds boundaries to preferred numbers', () => {
    expect(buckets({ buckets: 2, granularity: 'POWERSOF2' })).toEqual([
      '{ _id: { min: double 0.5, max: int 4 }, count: int 4 }',
      '{ _id: { min: int 4, max: int 32 }, count: int 2 }',
    ]);
    expect(buckets({ buckets: 2, granularity: 'R5' })[0]).toBe(
      '{ _id: { min: double 0.63, max: double 2.5 }, count: int 3 }',
    );
    expect(errorOf(() => buckets({ buckets: 2, granularity: 'X' }))[0]).toBe(40257);
    expect(errorOf(() => buckets({ buckets: 2, granularity: '__proto__' }))[0]).toBe(40257);
    expect(errorOf(() => buckets({ buckets: 0 }))[0]).toBe(40243);
  });
});

describe('$geoNear', () => {
  test('sorts by distance, in metres from a GeoJSON point', () => {
    const docs = [
      { _id: 1, at: { type: 'Point', coordinates: [0, 2] } },
      { _id: 2, at: { type: 'Point', coordinates: [0, 1] } },
      { _id: 3 },
    ];
    const near = { type: 'Point', coordinates: [0, 0] };
    const spec = { near, distanceField: 'far', maxDistance: 200_000 };
    const host = new MemoryHost({ c: docs });
    host.geo.push({ field: 'at', kind: '2dsphere' });
    expect(aggregate([{ $geoNear: spec }, { $project: { far: { $round: ['$far', -2] } } }], host)).toEqual([
      '{ _id: int 2, far: double 111300 }',
    ]);
    expect(codeOf([{ $geoNear: { near } }])).toBe(16605);
    expect(codeOf([{ $match: {} }, { $geoNear: spec }])).toBe(40602);
  });
});
