import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  fromHeader,
  getPolyModelToken,
  InjectTenantModel,
  PolyMongoModule,
  PolyMongoWrapper,
  TenantContext,
  type PolyModel,
  type TenantModel,
} from 'nestjs-polymongo';
import {
  expectFixtures,
  FixtureMismatchError,
  freshDatabase,
  globalSetup,
  globalTeardown,
  loadFixtures,
  overrideTenant,
  PolyMongoTestingModule,
  runAsTenant,
  type PolyMongoTestingOptions,
} from 'nestjs-polymongo/testing';
import mongoose, { Schema } from 'mongoose';
import request from 'supertest';
import { startHttpApp } from '../../support/http-app.js';

interface User {
  email: string;
  role?: string;
}
const schema = () =>
  new Schema<User>({ email: { type: String, required: true }, role: { type: String, default: 'reader' } });
const feature = (root?: string) => PolyMongoModule.forFeature([{ name: 'User', schema: schema() }], root);

async function start(options: PolyMongoTestingOptions = {}): Promise<TestingModule> {
  const imports = [PolyMongoTestingModule.forRoot(options), feature(options.name)];
  const app = await Test.createTestingModule({ imports }).compile();
  await app.init();
  return app;
}
const usersOf = (app: TestingModule, root?: string) => app.get<PolyModel<User>>(getPolyModelToken('User', root));

/** The names of the databases on a server that begin so. */
async function databasesOn(uri: string, prefix: string): Promise<string[]> {
  const client = await mongoose.mongo.MongoClient.connect(uri);
  const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true });
  await client.close();
  return databases.map(({ name }) => name).filter((name) => name.startsWith(prefix));
}

describe('PolyMongoTestingModule', () => {
  it('has a server of its own, which stops with the application', async () => {
    const app = await start();
    await usersOf(app).create({ email: 'ada@example.com' });
    expect(await usersOf(app).countDocuments()).toBe(1);
    const { mongoURI } = app.get(PolyMongoWrapper).options;
    await app.close();
    await expect(mongoose.mongo.MongoClient.connect(mongoURI, { serverSelectionTimeoutMS: 200 })).rejects.toThrow(
      /ECONNREFUSED/,
    );
  });

  it('gives each application databases of its own on a server that all tests share, and drops them at the end', async () => {
    await globalSetup();
    try {
      const apps = [await start(), await start({ database: freshDatabase('orders') })];
      const wrappers = apps.map((app) => app.get(PolyMongoWrapper).options);
      expect(wrappers[0]!.mongoURI).toBe(wrappers[1]!.mongoURI);
      expect(wrappers[1]!.defaultDB).toMatch(/^orders_/);
      await usersOf(apps[0]!).create({ email: 'ada@example.com' });
      await runAsTenant(apps[0]!, 'acme', () => usersOf(apps[0]!).tenant().create({ email: 'bob@example.com' }));
      expect(await usersOf(apps[1]!).countDocuments()).toBe(0);
      const { mongoURI, defaultDB } = wrappers[0]!;
      expect((await databasesOn(mongoURI, defaultDB)).sort()).toEqual([defaultDB, `${defaultDB}_acme`]);
      for (const app of apps) await app.close();
      expect(await databasesOn(mongoURI, defaultDB)).toEqual([]);
    } finally {
      await globalTeardown();
    }
  });

  it('is a root with a name where it is given one', async () => {
    const app = await start({ name: 'audit' });
    await usersOf(app, 'audit').create({ email: 'ada@example.com' });
    await expectFixtures(app, { User: [{ email: 'ada@example.com' }] }, { root: 'audit' });
    await app.close();
  });
});

describe('helpers of tests', () => {
  let app: TestingModule;
  beforeEach(async () => {
    app = await start();
  });
  afterEach(() => app.close());

  it('load documents as the model makes them, in place of those that were there, for a tenant or none', async () => {
    await loadFixtures(app, { User: [{ email: 'old@example.com' }] }, { tenant: 'acme' });
    await loadFixtures(app, { User: [{ email: 'ada@example.com' }] }, { tenant: 'acme' });
    await expectFixtures(app, { User: [{ email: 'ada@example.com', role: 'reader' }] }, { tenant: 'acme' });
    await expectFixtures(app, { User: [] });
    expect(await runAsTenant(app, 'acme', () => usersOf(app).tenant().countDocuments())).toBe(1);
    expect(app.get(TenantContext).state).toBe('none');
  });

  it('say what is missing and what is too many', async () => {
    await loadFixtures(app, { User: [{ email: 'ada@example.com' }, { email: 'bob@example.com' }] });
    await expectFixtures(app, { User: [{ email: 'bob@example.com' }, { email: 'ada@example.com' }] });
    const wrong = expectFixtures(app, {
      User: [{ email: 'ada@example.com', role: 'owner' }, { email: 'bob@example.com' }],
    });
    await expect(wrong).rejects.toThrow(FixtureMismatchError);
    await expect(wrong).rejects.toMatchObject({
      model: 'User',
      missing: [{ email: 'ada@example.com', role: 'owner' }],
      unexpected: [{ email: 'ada@example.com', role: 'reader' }],
      message: expect.stringMatching(/- \{ email: 'ada@example.com', role: 'owner' \}\n {2}\+ \{/),
    });
    await expect(expectFixtures(app, { User: [] })).rejects.toMatchObject({ missing: [], unexpected: { length: 2 } });
  });
});

describe('overrideTenant', () => {
  @Controller()
  class Users {
    constructor(@InjectTenantModel('User') readonly users: TenantModel<User>) {}
    @Get()
    async list() {
      return (await this.users.find()).map(({ email }) => email);
    }
  }

  it('makes requests a tenant’s, whatever they name, until it ends', async () => {
    const app = await startHttpApp({
      imports: [PolyMongoTestingModule.forRoot({ tenant: { resolve: fromHeader('x-tenant-id') } }), feature()],
      controllers: [Users],
    });
    await loadFixtures(app, { User: [{ email: 'ada@example.com' }] }, { tenant: 'acme' });
    const list = (headers = {}) => request(app.getHttpServer()).get('/').set(headers);
    await list().expect(400);
    const end = overrideTenant(app, 'acme');
    expect((await list()).body).toEqual(['ada@example.com']);
    expect((await list({ 'x-tenant-id': 'globex' })).body).toEqual(['ada@example.com']);
    end();
    await list().expect(400);
    expect((await list({ 'x-tenant-id': 'globex' })).body).toEqual([]);
    await app.close();
  });
});
