import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type mongoose from 'mongoose';
import { OtherDatabaseError, type PolyMongoWrapper } from 'nestjs-polymongo';
import { TenantProcesses } from '../../support/tenant-processes.js';

type Pipeline = mongoose.PipelineStage[];

let processes: TenantProcesses;
let polymongo: PolyMongoWrapper;

beforeAll(async () => {
  processes = await TenantProcesses.start();
  polymongo = processes.add();
  for (const id of ['acme', 'globex']) await processes.write(polymongo, id);
});
afterAll(() => processes.stop());

const other = (): string => processes.database('globex');
const stages = (db: string): Record<string, unknown[]> => ({
  $out: [{ $out: { db, coll: 'stolen' } }],
  $merge: [{ $merge: { into: { db, coll: 'stolen' } } }],
  $lookup: [{ $lookup: { from: { db, coll: 'notes' }, localField: 'a', foreignField: 'a', as: 'x' } }],
  '$lookup with db beside from': [{ $lookup: { db, from: 'notes', pipeline: [], as: 'x' } }],
  $unionWith: [{ $unionWith: { db, coll: 'notes' } }],
  '$unionWith of a named collection': [{ $unionWith: { coll: { db, coll: 'notes' } } }],
  $graphLookup: [
    {
      $graphLookup: {
        from: { db, coll: 'notes' },
        startWith: '$a',
        connectFromField: 'a',
        connectToField: 'b',
        as: 'x',
      },
    },
  ],
});
const NESTINGS: Record<string, (inner: unknown[]) => unknown[]> = {
  'at the top': (inner) => inner,
  'behind another stage': (inner) => [{ $match: {} }, ...inner],
  'in $facet': (inner) => [{ $facet: { a: [{ $match: {} }], b: inner } }],
  "in a $lookup's pipeline": (inner) => [{ $lookup: { from: 'notes', pipeline: inner, as: 'x' } }],
  "in a $unionWith's pipeline": (inner) => [{ $unionWith: { coll: 'notes', pipeline: inner } }],
  'two deep': (inner) => [
    {
      $lookup: {
        from: 'notes',
        pipeline: [{ $facet: { a: [{ $unionWith: { coll: 'notes', pipeline: inner } }] } }],
        as: 'x',
      },
    },
  ],
  'in $rankFusion': (inner) => [{ $rankFusion: { input: { pipelines: { a: inner } } } }],
  'as a Map': (inner) => [{ $facet: { a: inner.map((stage) => new Map(Object.entries(stage as object))) } }],
  'as what serializes itself': (inner) => [{ $facet: { toBSON: () => ({ a: inner }) } }],
};
/** `$out` into another database, but not for the first times that it is asked. */
const harmlessAtFirst = (times: number): unknown[] => {
  let asked = 0;
  const get = () => (asked++ < times ? 'own' : { db: other(), coll: 'stolen' });
  return [{ $match: {} }, Object.defineProperty({}, '$out', { enumerable: true, get })];
};
const asAcme = <T>(fn: () => Promise<T>): Promise<T> => polymongo.tenants.run('acme', fn) as Promise<T>;
const model = () => processes.notesOf(polymongo).tenant();
const rawNotes = () => {
  const { collection } = model().collection as unknown as { collection: mongoose.mongo.Collection | null };
  return collection!; // there once the model has been used
};
const WAYS: Record<string, (pipeline: Pipeline) => Promise<unknown>> = {
  'Model.aggregate': (pipeline) => model().aggregate(pipeline).exec(),
  'a tenant model': (pipeline) => polymongo.tenantModel(polymongo.models.blueprint('Note')).aggregate(pipeline).exec(),
  'its cursor': (pipeline) => model().aggregate(pipeline).cursor().next(),
  'stages that are added': (pipeline) =>
    model()
      .aggregate()
      .append(...pipeline)
      .exec(),
  explain: (pipeline) => model().aggregate(pipeline).explain() as Promise<unknown>,
  'collection.aggregate': (pipeline) => model().collection.aggregate(pipeline).toArray(),
  "the driver's cursor": (pipeline) => {
    const cursor = model().collection.aggregate([]);
    for (const stage of pipeline) cursor.addStage(stage);
    return cursor.clone().toArray();
  },
  'connection.aggregate': (pipeline) =>
    model()
      .db.aggregate(pipeline as never)
      .exec(),
  "connection.aggregate's cursor": async (pipeline) => {
    const cursor = model()
      .db.aggregate(pipeline as never)
      .cursor();
    return cursor.next();
  },
  'connection.db.collection': (pipeline) => model().db.db!.collection('notes').aggregate(pipeline).toArray(),
  'connection.db.createCollection': (pipeline) =>
    model().db.db!.createCollection('view', { viewOn: 'notes', pipeline }),
  'connection.db.command': (pipeline) => model().db.db!.command({ aggregate: 'notes', pipeline, cursor: {} }),
  'connection.db.command, explained': (pipeline) =>
    model().db.db!.command({ explain: { aggregate: 'notes', pipeline, cursor: {} } }),
  'connection.db.runCursorCommand': async (pipeline) =>
    model().db.db!.runCursorCommand({ aggregate: 'notes', pipeline, cursor: {} }).toArray(),
  'connection.db.command of a view': (pipeline) =>
    model().db.db!.command({ create: 'view', viewOn: 'notes', pipeline }),
  "collection.collection, the driver's": (pipeline) => rawNotes().aggregate(pipeline).toArray(),
  'a view': (pipeline) => model().db.createCollection('view', { viewOn: 'notes', pipeline }),
};

describe.each(Object.keys(WAYS))('%s of a tenant', (way) => {
  it('reaches no other database, whatever the stage and wherever it is', async () => {
    for (const [stage, inner] of Object.entries(stages(other()))) {
      for (const [nesting, nest] of Object.entries(NESTINGS)) {
        const work = asAcme(() => WAYS[way]!(nest(inner) as Pipeline));
        await expect(work.then(() => `${stage} ${nesting} went through`)).rejects.toThrow(OtherDatabaseError);
      }
    }
    const names = await polymongo.pools.connectionOf(other()).listCollections();
    expect(names.map(({ name }) => name)).toEqual(['notes']);
  });

  it('sends what was looked at, whatever a stage answers when it is asked once more', async () => {
    for (let times = 0; times < 8; times++) {
      await asAcme(() => WAYS[way]!(harmlessAtFirst(times) as Pipeline)).catch(() => {});
    }
    const names = await polymongo.pools.connectionOf(other()).listCollections();
    expect(names.map(({ name }) => name)).toEqual(['notes']);
  });
});

describe("the driver's options dbName and authdb", () => {
  type Options = Record<string, string>;
  const collection = () => model().collection as unknown as mongoose.mongo.Collection;
  const OPERATIONS: Record<string, (options: Options) => Promise<unknown>> = {
    'Model.distinct': (options) => model().distinct('tenant', {}, options).exec(),
    'Model.findOneAndUpdate': (options) =>
      model()
        .findOneAndUpdate({}, { $set: { text: 'x' } }, options)
        .exec(),
    distinct: (options) => collection().distinct('tenant', {}, options),
    estimatedDocumentCount: (options) => collection().estimatedDocumentCount(options),
    findOneAndDelete: (options) => collection().findOneAndDelete({}, options),
    'findOneAndUpdate of the raw collection': (options) =>
      model()
        .db.db!.collection('notes')
        .findOneAndUpdate({}, { $set: { text: 'x' } }, options),
    createIndex: (options) => collection().createIndex({ text: 1 }, options),
    dropIndexes: (options) => collection().dropIndexes(options),
    drop: (options) => collection().drop(options),
    'db.dropCollection': (options) => model().db.db!.dropCollection('notes', options),
    'db.dropDatabase': (options) => model().db.db!.dropDatabase(options),
    'db.createCollection': (options) => model().db.db!.createCollection('made', options),
  };

  it.each(Object.keys(OPERATIONS))('send a tenant to no other database: %s', async (operation) => {
    await asAcme(() => model().countDocuments().exec());
    for (const option of ['dbName', 'authdb']) {
      const work = asAcme(async () => OPERATIONS[operation]!({ [option]: other() }));
      await expect(work).rejects.toThrow(OtherDatabaseError);
    }
    const notes = polymongo.pools.connectionOf(other()).collection('notes');
    expect(await notes.find({}).toArray()).toMatchObject([{ tenant: 'globex' }]);
    expect(await notes.indexes()).toHaveLength(1);
  });

  it('may name its own, and are no option in a filter', async () => {
    const own = { dbName: processes.database('acme') };
    expect(await asAcme(() => model().distinct('tenant', {}, own).exec())).toEqual(['acme']);
    expect(await asAcme(() => collection().deleteOne({ dbName: other() }))).toMatchObject({ deletedCount: 0 });
  });
});

describe('a tenant', () => {
  it('has no mapReduce write to another database', async () => {
    const out = { replace: 'stolen', db: other() };
    const command = { mapReduce: 'notes', map: 'function () { emit(1, 1) }', reduce: 'function () { return 1 }', out };
    await expect(asAcme(async () => model().db.db!.command(command))).rejects.toThrow(OtherDatabaseError);
  });

  it('writes to its own database, by name or not', async () => {
    const own = processes.database('acme');
    await asAcme(() =>
      model()
        .aggregate([{ $out: { db: own, coll: 'copy' } }])
        .exec(),
    );
    await asAcme(() =>
      model()
        .aggregate([{ $merge: { into: { db: own, coll: 'merged' } } }])
        .exec(),
    );
    await asAcme(() =>
      model()
        .aggregate([{ $merge: { into: 'merged' } }])
        .exec(),
    );
    expect(await polymongo.pools.connectionOf(own).collection('merged').countDocuments()).toBe(1);
    const literal = [{ $project: { x: { $literal: { $out: { db: other() } } } } }];
    expect(await asAcme(() => model().aggregate(literal).exec())).toHaveLength(1);
  });

  it("has connection.aggregate on its own database, not on the one of the pool's URI", async () => {
    const monitored = processes.add({}, { driverOptions: { monitorCommands: true } });
    const seen: string[] = [];
    const notes = processes.notesOf(monitored);
    await monitored.tenants.run('acme', () => notes.tenant().countDocuments().exec());
    monitored.pools.primary.client.on('commandStarted', ({ commandName, databaseName }) => {
      if (commandName === 'aggregate') seen.push(databaseName);
    });
    const pipeline = [{ $documents: [{ a: 1 }] }] as never;
    await monitored.tenants.run('acme', () => notes.tenant().db.aggregate(pipeline).exec());
    expect(seen).toEqual([processes.database('acme')]);
  });

  it('may name other databases when the option allows it; other models may always', async () => {
    const free = processes.add({ allowCrossDatabase: true });
    const out = (coll: string): Pipeline => [{ $out: { db: `${processes.prefix}_archive`, coll } }];
    await free.tenants.run('acme', () => processes.notesOf(free).tenant().aggregate(out('a')).exec());
    await processes.notesOf(polymongo).create({ tenant: 'none' });
    await processes.notesOf(polymongo).aggregate(out('b')).exec();
    const archive = await free.pools.connectionOf(`${processes.prefix}_archive`).listCollections();
    expect(archive.map(({ name }) => name).sort()).toEqual(['a', 'b']);
  });
});
