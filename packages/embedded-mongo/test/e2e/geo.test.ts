import { beforeEach, describe, expect, it } from '@jest/globals';
import type { mongo } from 'mongoose';
import { useOwnServer } from '../support/connected.js';

const point = (...coordinates: number[]) => ({ type: 'Point', coordinates });
const PARIS = point(2.3522, 48.8566);

describe('geospatial queries', () => {
  let client: mongo.MongoClient;
  let places: mongo.Collection<{ _id: unknown; at?: unknown }>;

  useOwnServer((connected) => {
    client = connected;
    places = client.db('geo').collection('places');
  });

  beforeEach(async () => {
    await client.db('geo').dropDatabase();
    await places.insertMany([
      { _id: 'Berlin', at: point(13.405, 52.52) },
      { _id: 'London', at: point(-0.1276, 51.5072) },
      { _id: 'nowhere' },
      { _id: 'Paris', at: PARIS },
      { _id: 'Rome', at: [12.4964, 41.9028] },
    ]);
  });

  const ids = async (filter: object): Promise<unknown[]> => (await places.find(filter).toArray()).map(({ _id }) => _id);
  const errorOf = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

  it('$near gives GeoJSON and legacy places by their distance in metres', async () => {
    await places.createIndex({ at: '2dsphere' });
    const near = (limits: object = {}) => ids({ at: { $near: { $geometry: PARIS, ...limits } } });
    expect(await near()).toEqual(['Paris', 'London', 'Berlin', 'Rome']);
    expect(await near({ $maxDistance: 344_500 })).toEqual(['Paris', 'London']);
    expect(await near({ $maxDistance: 343_000 })).toEqual(['Paris']);
    expect(await near({ $minDistance: 1, $maxDistance: 900_000 })).toEqual(['London', 'Berlin']);
    expect(await ids({ _id: { $ne: 'London' }, at: { $nearSphere: PARIS.coordinates, $maxDistance: 0.15 } })).toEqual([
      'Paris',
      'Berlin',
    ]);
    const sorted = await places
      .find({ at: { $near: { $geometry: PARIS } } })
      .sort({ _id: -1 })
      .limit(1)
      .toArray();
    expect(sorted).toMatchObject([{ _id: 'Rome' }]);
  });

  it('$near takes legacy pairs on a 2d index in units of the plane', async () => {
    await places.deleteMany({});
    await places.insertMany([{ _id: 1, at: [0, 4] }, { _id: 2, at: { x: 3, y: 0 } }, { _id: 3, at: [[9, 9], [0, 1]] }]); // prettier-ignore
    await places.createIndex({ at: '2d' });
    expect(await ids({ at: { $near: [0, 0] } })).toEqual([3, 2, 1]);
    expect(await ids({ at: { $near: [0, 0], $minDistance: 2, $maxDistance: 3 } })).toEqual([2]);
    expect(await ids({ at: { $near: [0, 0, 1.5] } })).toEqual([3]);
  });

  it('explains $near as GEO_NEAR_2DSPHERE and applies it to writes', async () => {
    await places.createIndex({ at: '2dsphere' });
    const filter = { at: { $near: { $geometry: PARIS, $minDistance: 1 } } };
    const { queryPlanner } = await places.find(filter).explain('queryPlanner');
    expect(queryPlanner.winningPlan).toMatchObject({ stage: 'GEO_NEAR_2DSPHERE', keyPattern: { at: '2dsphere' } });
    expect(await places.findOneAndDelete(filter)).toMatchObject({ _id: 'London' });
  });

  it('refuses $near without an index that fits, below $or, twice, and in aggregations', async () => {
    const near = { $near: { $geometry: PARIS } };
    expect(await errorOf(ids({ at: near }))).toMatchObject({
      code: 291,
      codeName: 'NoQueryExecutionPlans',
      message: expect.stringContaining('unable to find index for $geoNear query'),
    });
    await places.createIndex({ at: '2dsphere' });
    expect(await errorOf(ids({ at: { $near: [0, 0] } }))).toMatchObject({ code: 291 });
    expect(await errorOf(ids({ $or: [{ at: near }] }))).toMatchObject({
      code: 2,
      message: 'geo $near must be top-level expr',
    });
    expect(await errorOf(ids({ at: near, to: near }))).toMatchObject({ message: 'Too many geoNear expressions' });
    expect(await errorOf(places.countDocuments({ at: near }))).toMatchObject({ code: 5626500 });
    expect(await errorOf(ids({ at: { $near: { $geometry: point(200, 0) } } }))).toMatchObject({
      code: 2,
      message: expect.stringContaining('invalid point in geo near query $geometry argument'),
    });
  });

  it('$geoNear needs one index to know the field, or its key', async () => {
    const stage = { near: PARIS, distanceField: 'far', query: { _id: { $in: ['London', 'Rome'] } } };
    const run = (more = {}) => errorOf(places.aggregate([{ $geoNear: { ...stage, ...more } }]).toArray());
    expect(await run()).toMatchObject({ code: 27, codeName: 'IndexNotFound' });
    await places.createIndex({ at: '2dsphere' });
    expect(await run({ distanceMultiplier: 0.001 })).toEqual([
      { _id: 'London', at: expect.anything(), far: expect.closeTo(343.9, 0) },
      { _id: 'Rome', at: expect.anything(), far: expect.closeTo(1107.0, 0) },
    ]);
    await places.createIndex({ to: '2dsphere' });
    expect(await run()).toMatchObject({ code: 27, message: expect.stringContaining('more than one 2dsphere index') });
    expect(await run({ key: 'at' })).toHaveLength(2);
    const missing = client
      .db('geo')
      .collection('missing')
      .aggregate([{ $geoNear: stage }]);
    expect(await errorOf(missing.toArray())).toMatchObject({ code: 26 });
  });

  it('$geoWithin follows great circles, as the sides of a GeoJSON polygon do', async () => {
    const ring = [[-10, 50], [40, 50], [40, 60], [-10, 60], [-10, 50]]; // prettier-ignore
    expect(await ids({ at: { $geoWithin: { $geometry: { type: 'Polygon', coordinates: [ring] } } } })).toEqual([]);
    expect(await ids({ at: { $geoWithin: { $polygon: ring } } })).toEqual(['Berlin', 'London']);
    const hole = [[13, 52], [14, 52], [14, 53], [13, 53], [13, 52]]; // prettier-ignore
    const holed = { type: 'Polygon', coordinates: [[[-5, 40], [20, 40], [20, 56], [-5, 56], [-5, 40]], hole] }; // prettier-ignore
    expect(await ids({ at: { $geoWithin: { $geometry: holed } } })).toEqual(['London', 'Paris', 'Rome']);
    expect(await ids({ at: { $geoWithin: { $centerSphere: [PARIS.coordinates, 0.06] } } })).toEqual([
      'London',
      'Paris',
    ]);
  });

  it('$geoIntersects finds what crosses, covers or touches a geometry of any type', async () => {
    const shape = (type: string, coordinates: unknown) => ({ type, coordinates });
    await places.deleteMany({});
    await places.insertMany([
      { _id: 'line', at: shape('LineString', [[0, 0], [10, 0]]) }, // prettier-ignore
      { _id: 'area', at: shape('Polygon', [[[2, -1], [4, -1], [4, 1], [2, 1], [2, -1]]]) }, // prettier-ignore
      { _id: 'points', at: shape('MultiPoint', [[50, 50], [5, 0]]) }, // prettier-ignore
      { _id: 'both', at: { type: 'GeometryCollection', geometries: [point(-70, 0), point(3, 0)] } },
    ]);
    const touching = (geometry: object) => ids({ at: { $geoIntersects: { $geometry: geometry } } });
    expect(await touching(point(3, 0))).toEqual(['line', 'area', 'both']);
    expect(await touching(shape('LineString', [[5, -5], [5, 5]]))).toEqual(['line', 'points']); // prettier-ignore
    expect(await touching(point(5, 1))).toEqual([]);
    expect(await touching(shape('Polygon', [[[49, 49], [51, 49], [51, 51], [49, 51], [49, 49]]]))).toEqual(['points']); // prettier-ignore
  });

  it('geospatial indexes refuse values that are no location', async () => {
    await places.createIndex({ at: '2dsphere' });
    expect(await errorOf(places.insertOne({ _id: 1, at: point(200, 0) }))).toMatchObject({
      code: 16755,
      message: expect.stringMatching(
        /^Can't extract geo keys: .*Longitude\/latitude is out of bounds, lng: 200 lat: 0/,
      ),
    });
    expect(await errorOf(places.insertOne({ _id: 1, at: 'Paris' }))).toMatchObject({ code: 16755 });
    const open = { type: 'Polygon', coordinates: [[[0, 0], [0, 1], [1, 1]]] }; // prettier-ignore
    expect(await errorOf(places.insertOne({ _id: 1, at: open }))).toMatchObject({ code: 16755 });
    const loop = (...ring: number[][]) => ({ type: 'Polygon', coordinates: [[...ring, ring[0]]] });
    const crossed = loop([0, 0], [0, 1], [1, 0], [1, 1]);
    const pinched = loop([0, 0], [2, 0], [1, 1], [2, 2], [0, 2], [1, 1]);
    expect(await errorOf(places.insertOne({ _id: 1, at: crossed }))).toMatchObject({ code: 16755 });
    expect(await errorOf(places.insertOne({ _id: 1, at: pinched }))).toMatchObject({ code: 16755 });
    for (const operator of ['$geoIntersects', '$geoWithin']) {
      const asked = places.findOne({ at: { [operator]: { $geometry: crossed } } });
      expect(await errorOf(asked)).toMatchObject({ code: 2 });
    }
    await places.insertMany([{ _id: 1, at: null }, { _id: 2 }]);
    const flat = client.db('geo').collection('flat');
    await flat.createIndex({ at: '2d' });
    expect(await errorOf(flat.insertOne({ at: [180, 0] }))).toMatchObject({ code: 13027 });
    expect(await errorOf(flat.insertOne({ at: PARIS }))).toMatchObject({ code: 13026 });
  });
});
