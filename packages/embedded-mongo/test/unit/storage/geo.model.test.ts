import { describe, expect, it } from '@jest/globals';
import { decodeDoc } from '../../../src/bson/decode.js';
import { splitPath } from '../../../src/bson/path.js';
import { plainEnv } from '../../../src/query/env.js';
import { compileFilter } from '../../../src/query/filter.js';
import { nearestAt, nearIn } from '../../../src/query/geo/near.js';
import type { Collection } from '../../../src/storage/collection.js';
import { LATEST } from '../../../src/storage/read-view.js';
import { Storage } from '../../../src/storage/storage.js';
import { bytesFrom, collectionOf, createIndex, docFrom, inUnit, plan, type Plain } from './fixture.js';

/** The same numbers in every run (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Shapes {
  constructor(private readonly random: () => number) {}

  between(low: number, high: number): number {
    return low + this.random() * (high - low);
  }

  oneOf<T>(values: readonly T[]): T {
    return values[Math.floor(this.random() * values.length)]!;
  }

  /** Often near a pole, the date line or one spot, where it is easy to be wrong. */
  place(): [number, number] {
    const [longitude, latitude] = this.oneOf([
      [this.between(-180, 180), this.between(-90, 90)],
      [this.between(2, 3), this.between(48, 49)],
      [this.oneOf([-1, 1]) * this.between(179, 180), this.between(-10, 10)],
      [this.between(-180, 180), this.oneOf([-1, 1]) * this.between(85, 90)],
    ]) as [number, number];
    return [longitude, latitude];
  }

  ring(): [number, number][] {
    const [x, y] = [this.between(-170, 170), this.between(-75, 75)];
    const size = this.oneOf([0.01, 1, 10]);
    const corners = Array.from({ length: 5 }, (_, i): [number, number] => {
      const turn = (i * 2 * Math.PI) / 5;
      return [x + Math.cos(turn) * size, y + Math.sin(turn) * size];
    });
    return [...corners, corners[0]!];
  }

  line(): [number, number][] {
    const [x, y] = this.place();
    const next: [number, number] = [
      Math.max(-180, Math.min(180, x + this.between(-40, 40))),
      y * this.between(0.5, 1) + 0.01,
    ];
    return [[x, y], next];
  }

  geometry(): Plain {
    return this.oneOf<() => Plain>([
      () => ({ type: 'Point', coordinates: this.place() }),
      () => ({ type: 'MultiPoint', coordinates: [this.place(), this.place()] }),
      () => ({ type: 'LineString', coordinates: this.line() }),
      () => ({ type: 'Polygon', coordinates: [this.ring()] }),
    ])();
  }

  location(): unknown {
    return this.oneOf<() => unknown>([
      () => this.geometry(),
      () => this.place(),
      () => [{ type: 'Point', coordinates: this.place() }, { type: 'Point', coordinates: this.place() }], // prettier-ignore
      () => undefined,
    ])();
  }
}

function fill(collection: Collection, storage: Storage, locations: unknown[]): void {
  inUnit(storage, (unit) => {
    locations.forEach((at, i) => {
      try {
        unit.insert(collection, bytesFrom({ _id: i, ...(at !== undefined && { at }) }));
      } catch (error) {
        if (!/geo keys|geo values/.test(String(error))) throw error;
      }
    });
  });
}

const byScan = (collection: Collection, filter: Plain): number[] => {
  const matches = compileFilter(docFrom(filter), plainEnv());
  return [...collection.scan(LATEST)].filter(({ bytes }) => matches(decodeDoc(bytes))).map(({ id }) => id);
};

function nearByScan(collection: Collection, filter: Plain): number[] {
  const { field, near } = nearIn(docFrom(filter))!;
  return [...collection.scan(LATEST)]
    .map(({ id, bytes }) => ({ id, distance: nearestAt(decodeDoc(bytes), splitPath(field), near.measure)?.distance }))
    .filter(({ distance }) => distance !== undefined && distance >= near.least && distance <= near.most)
    .sort((a, b) => a.distance! - b.distance! || a.id - b.id)
    .map(({ id }) => id);
}

describe('geospatial indexes', () => {
  it.each([1, 2, 3, 4])('find on the sphere what a scan finds, and by distance in its order (seed %i)', (seed) => {
    const shapes = new Shapes(randomFrom(seed));
    const storage = new Storage();
    const collection = collectionOf(storage);
    createIndex(storage, collection, { at: '2dsphere' });
    fill(collection, storage, Array.from({ length: 250 }, () => shapes.location())); // prettier-ignore
    for (let i = 0; i < 60; i++) {
      const at = shapes.oneOf<() => Plain>([
        () => ({ $geoIntersects: { $geometry: shapes.geometry() } }),
        () => ({ $geoWithin: { $geometry: { type: 'Polygon', coordinates: [shapes.ring()] } } }),
        () => ({ $geoWithin: { $centerSphere: [shapes.place(), shapes.oneOf([0.001, 0.1, 2, 4])] } }),
      ])();
      const query = plan(collection, { at });
      const found = [...query.run(LATEST)].map(({ id }) => id).sort((a, b) => a - b);
      expect({ at, summary: query.summary, found }).toEqual({
        at,
        summary: 'IXSCAN',
        found: byScan(collection, { at }),
      });
    }
    for (let i = 0; i < 20; i++) {
      const limits = shapes.oneOf([
        {},
        { $maxDistance: 2_000_000 },
        { $minDistance: 500_000, $maxDistance: 9_000_000 },
      ]);
      const at = { $near: { $geometry: { type: 'Point', coordinates: shapes.place() }, ...limits } };
      const found = [...plan(collection, { at }).run(LATEST)].map(({ id }) => id);
      expect({ at, found }).toEqual({ at, found: nearByScan(collection, { at }) });
    }
    storage.close();
  });

  it.each([1, 2, 3])('find on the plane what a scan finds, and by distance in its order (seed %i)', (seed) => {
    const shapes = new Shapes(randomFrom(seed));
    const storage = new Storage();
    const collection = collectionOf(storage);
    createIndex(storage, collection, { at: '2d' });
    fill(collection, storage, Array.from({ length: 300 }, () => shapes.oneOf([shapes.place(), [shapes.place(), shapes.place()]]))); // prettier-ignore
    for (let i = 0; i < 80; i++) {
      const at = shapes.oneOf<() => Plain>([
        () => ({ $geoWithin: { $box: [shapes.place(), shapes.place()] } }),
        () => ({ $geoWithin: { $center: [shapes.place(), shapes.between(0, 60)] } }),
        () => ({ $geoWithin: { $polygon: shapes.ring() } }),
        () => ({ $geoWithin: { $centerSphere: [shapes.place(), shapes.oneOf([0.001, 0.1, 1, 3])] } }),
      ])();
      const query = plan(collection, { at });
      const found = [...query.run(LATEST)].map(({ id }) => id).sort((a, b) => a - b);
      expect({ at, summary: query.summary, found }).toEqual({
        at,
        summary: 'IXSCAN',
        found: byScan(collection, { at }),
      });
    }
    for (let i = 0; i < 20; i++) {
      const at = shapes.oneOf<Plain>([{ $near: shapes.place() }, { $near: shapes.place(), $maxDistance: 30 }, { $nearSphere: shapes.place(), $maxDistance: 0.5 }]); // prettier-ignore
      const found = [...plan(collection, { at }).run(LATEST)].map(({ id }) => id);
      expect({ at, found }).toEqual({ at, found: nearByScan(collection, { at }) });
    }
    storage.close();
  });

  it('read no more than what is near', () => {
    const shapes = new Shapes(randomFrom(9));
    const storage = new Storage();
    const collection = collectionOf(storage);
    createIndex(storage, collection, { at: '2dsphere' });
    fill(collection, storage, Array.from({ length: 2000 }, () => [shapes.between(-180, 180), shapes.between(-80, 80)])); // prettier-ignore
    const within = { at: { $geoWithin: { $centerSphere: [[10, 10], 0.05] } } };
    const stats = plan(collection, within).executionStatsDoc(LATEST);
    expect(Number(stats.get('totalDocsExamined'))).toBeLessThan(60);
    const nearest = plan(
      collection,
      { at: { $near: { $geometry: { type: 'Point', coordinates: [0, 0] } } } },
      { limit: 3 },
    );
    expect(Number(nearest.executionStatsDoc(LATEST).get('totalDocsExamined'))).toBeLessThan(100);
    storage.close();
  });
});
