import 'reflect-metadata';
import { afterAll, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { Module, type DynamicModule } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import mongoose, { Schema } from 'mongoose';
import * as polymongo from '../../../lib/index.js';

const { PolyMongoError, PolyMongoMigrationsModule, PolyMongoModule, PolyMongoWrapper } = polymongo;

/** One of every kind of value that JavaScript lets somebody pass. */
const KINDS: readonly unknown[] = [
  undefined,
  null,
  true,
  0,
  -1,
  NaN,
  1n,
  '',
  'a/b',
  'ordinary',
  Symbol('symbol'),
  [],
  [null],
  ['a/b'],
  {},
  { unknown: 1 },
  Object.create(null),
  new Date(0),
  new Map(),
  () => undefined,
];
/** As `inspect` says it, which reads what cannot be made a string. */
const show = (value: unknown): string => inspect(value, { breakLength: Infinity });

const isFunction = (v: unknown) => typeof v === 'function';
const isPlain = (v: unknown) => typeof v === 'object' && v !== null && !Array.isArray(v);
const isEmpty = (v: unknown) => isPlain(v) && Object.keys(v as object).length === 0;
const isOrdinary = (v: unknown) => v === 'ordinary';
const isName = (v: unknown) => typeof v === 'string' && v !== '';
const isEmptyList = (v: unknown) => Array.isArray(v) && v.length === 0;
const or =
  (...some: ((v: unknown) => boolean)[]) =>
  (v: unknown): boolean =>
    some.some((each) => each(v));
const isMissing = (v: unknown) => v === undefined;

// Nothing listens there: what is let through comes to nothing at once, with an error of ours as well.
const mongoURI = 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=1';
const wrapper = new PolyMongoWrapper({ mongoURI, handleSignals: false });
const User = wrapper.wrapModel(mongoose.model('BadInputUser', new Schema({ name: String })));
afterAll(() => wrapper.actions.forceCloseAll());

const compiled = (module: DynamicModule): Promise<unknown> => {
  class Root {}
  Module({ imports: [module] })(Root);
  return Test.createTestingModule({ imports: [Root] })
    .setLogger(false as never)
    .compile();
};
const withRoot = (module: DynamicModule) =>
  compiled({ module: class Both {}, imports: [PolyMongoModule.forRoot({ mongoURI }), module] });
const applied = (decorator: unknown): unknown => {
  class Host {
    method(): void {}
  }
  const descriptor = Object.getOwnPropertyDescriptor(Host.prototype, 'method')!;
  return (decorator as MethodDecorator)(Host.prototype, 'method', descriptor);
};

/** What each takes of {@link KINDS}; it refuses the others. */
const TABLE: [call: string, call: (bad: never) => unknown, takes: (value: unknown) => boolean][] = [
  ['new PolyMongoWrapper(…)', (bad) => new PolyMongoWrapper(bad), () => false],
  ['PolyMongoModule.forRoot(…)', (bad) => compiled(PolyMongoModule.forRoot(bad)), () => false],
  ['PolyMongoModule.forRootAsync(…)', (bad) => compiled(PolyMongoModule.forRootAsync(bad)), () => false],
  [
    'PolyMongoModule.forRootAsync({ useFactory })',
    (bad) => compiled(PolyMongoModule.forRootAsync({ useFactory: bad })),
    () => false,
  ],
  [
    'a factory of forRootAsync',
    (bad) => compiled(PolyMongoModule.forRootAsync({ useFactory: () => bad })),
    () => false,
  ],
  ['PolyMongoModule.forFeature(…)', (bad) => PolyMongoModule.forFeature(bad), isEmptyList],
  ['PolyMongoModule.forFeatureAsync(…)', (bad) => PolyMongoModule.forFeatureAsync(bad), isEmptyList],
  ['wrapModel(…)', (bad) => wrapper.wrapModel(bad), () => false],
  ['tenantModel(…)', (bad) => wrapper.tenantModel(bad), () => false],
  ['model.db(…)', (bad) => User.db(bad), isOrdinary],
  ['scale.setDB(…)', (bad) => wrapper.scale.setDB(bad), or(isOrdinary, isEmptyList)],
  ['scale.setDB(name, …)', (bad) => wrapper.scale.setDB('ordinary', bad), or(isMissing, isEmpty)],
  ['scale.connectDB(…)', (bad) => wrapper.scale.connectDB(bad), isEmptyList],
  ['scale.connectDB(name, …)', (bad) => wrapper.scale.connectDB('ordinary', bad), () => false],
  ['transaction(…)', (bad) => wrapper.transaction(bad), () => false],
  ['transaction(fn, …)', (bad) => wrapper.transaction(() => 1, bad), () => false],
  ['transaction(fn, { db })', (bad) => wrapper.transaction(() => 1, { db: bad }), () => false],
  ['onDbConnect(…)', (bad) => wrapper.onDbConnect(bad), isFunction],
  ['onDbDisconnect(…)', (bad) => wrapper.onDbDisconnect(bad), isFunction],
  ['onDbError(…)', (bad) => wrapper.onDbError(bad), isFunction],
  ['onTheseDBConnect(…, hook)', (bad) => wrapper.onTheseDBConnect(bad, () => {}), or(isOrdinary, isEmptyList)],
  ['onTheseDBConnect(names, …)', (bad) => wrapper.onTheseDBConnect('a', bad), isFunction],
  ['watch$(…)', (bad) => wrapper.watch$(bad), or(isMissing, isEmpty)],
  ['model.watch$(…)', (bad) => User.watch$(bad), or(isMissing, isEmpty)],
  ['actions.closeDBstream(…)', (bad) => wrapper.actions.closeDBstream(bad), isOrdinary],
  ['stats.db(…)', (bad) => wrapper.stats.db(bad), () => false],
  ['bulkTasks.copyDatabase(…, target)', (bad) => wrapper.bulkTasks.copyDatabase(bad, 'b'), () => false],
  ['bulkTasks.copyDatabase(source, …)', (bad) => wrapper.bulkTasks.copyDatabase('a', bad), () => false],
  ['bulkTasks.copyDatabase(source, target, …)', (bad) => wrapper.bulkTasks.copyDatabase('a', 'b', bad), () => false],
  ['bulkTasks.dropDatabase(…)', (bad) => wrapper.bulkTasks.dropDatabase(bad), () => false],
  ['bulkTasks.export(…)', (bad) => wrapper.bulkTasks.export(bad), () => false],
  ['bulkTasks.export(name, …)', (bad) => wrapper.bulkTasks.export('a', bad), () => false],
  ['bulkTasks.exportStream(name, …)', (bad) => wrapper.bulkTasks.exportStream('a', bad).summary, () => false],
  ['bulkTasks.import(name, …)', (bad) => wrapper.bulkTasks.import('a', bad), () => false],
  ['bulkTasks.import(name, data, …)', (bad) => wrapper.bulkTasks.import('a', '{}', bad), () => false],
  ['bulkTasks.importStream(name, …)', (bad) => wrapper.bulkTasks.importStream('a', bad), () => false],
  ['tenants.run(…, fn)', (bad) => wrapper.tenants.run(bad, () => 1), isOrdinary],
  ['tenants.run(id, …)', (bad) => wrapper.tenants.run('a', bad), isFunction],
  ['tenants.provision(…)', (bad) => wrapper.tenants.provision(bad), () => false],
  ['tenants.provision(id, …)', (bad) => wrapper.tenants.provision('a', bad), () => false],
  ['tenants.deprovision(…)', (bad) => wrapper.tenants.deprovision(bad), () => false],
  ['tenants.deprovision(id, …)', (bad) => wrapper.tenants.deprovision('a', bad), () => false],
  ['tenants.forEach(…)', (bad) => wrapper.tenants.forEach(bad, { tenants: [] }), isFunction],
  ['tenants.forEach(task, …)', (bad) => wrapper.tenants.forEach(() => 1, bad), () => false],
  ['tenants.forEach(task, { tenants })', (bad) => wrapper.tenants.forEach(() => 1, { tenants: bad }), isEmptyList],
  ['tenantContext.run(…, fn)', (bad) => wrapper.tenantContext.run(bad, () => 1), isOrdinary],
  ['tenantContext.run(id, …)', (bad) => wrapper.tenantContext.run('a', bad), isFunction],
  ['useMigrations(…)', (bad) => wrapper.useMigrations(bad), isEmpty],
  ['PolyMongoMigrationsModule.forRoot(…)', (bad) => withRoot(PolyMongoMigrationsModule.forRoot(bad)), isEmpty],
  [
    'PolyMongoMigrationsModule.forRootAsync(…)',
    (bad) => withRoot(PolyMongoMigrationsModule.forRootAsync(bad)),
    () => false,
  ],
  ['@InjectPolyModel(…)', (bad) => polymongo.InjectPolyModel(bad), isName],
  ['@InjectTenantModel(…)', (bad) => polymongo.InjectTenantModel(bad), isName],
  ['@OnDbConnect(…)', (bad) => applied(polymongo.OnDbConnect(bad)), isOrdinary],
  ['@OnChange(…)', (bad) => applied(polymongo.OnChange(bad)), isPlain],
  ['@Transactional(…)', (bad) => applied(polymongo.Transactional(bad)), or(isMissing, isPlain)],
  ['@Migration(…)', (bad) => polymongo.Migration(bad), isName],
  ['@WithTenant(…)', (bad) => applied(polymongo.WithTenant(bad)), or(isName, isFunction)],
  ['fromHeader(…)', (bad) => polymongo.fromHeader(bad), isName],
  ['fromCookie(…)', (bad) => polymongo.fromCookie(bad), isName],
  ['fromClaim(…)', (bad) => polymongo.fromClaim(bad), isName],
  ['fromPayload(…)', (bad) => polymongo.fromPayload(bad), isName],
  ['fromPath(…)', (bad) => polymongo.fromPath(bad), () => false],
  ['afterGuards(…)', (bad) => polymongo.afterGuards(bad), isFunction],
  ['new FileTokenStore(…)', (bad) => new polymongo.FileTokenStore(bad), isName],
  ['new CollectionTokenStore(…)', (bad) => new polymongo.CollectionTokenStore(bad), () => false],
];

describe('what the public surface is given', () => {
  it.each(TABLE)('%s refuses what it cannot take, with an error of ours', async (_, call, takes) => {
    const wrong: string[] = [];
    for (const value of KINDS) {
      const outcome = await Promise.resolve()
        .then(() => call(value as never))
        .then(
          () => 'taken',
          (error: unknown) => (error instanceof PolyMongoError ? 'refused' : `${String(error)}`),
        );
      const expected = takes(value) ? 'taken' : 'refused';
      if (outcome !== expected) wrong.push(`${show(value)}: ${outcome}`);
    }
    expect(wrong).toEqual([]);
  });
});
