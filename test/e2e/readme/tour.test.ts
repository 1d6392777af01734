import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Test, type TestingModule } from '@nestjs/testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mongoose from 'mongoose';
import {
  getPolyModelToken,
  getTenantModelToken,
  PolyMongoModule,
  PolyMongoTenants,
  PolyMongoWrapper,
  type PolyModel,
  type TenantModel,
} from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { waitFor } from '../../support/wait-for.js';
import * as tour from './tour.js';

interface Account {
  owner: string;
  balance: number;
}

// A server of its own: the tour uses plain database names.
let server: EmbeddedMongo;
let app: TestingModule;
let polymongo: PolyMongoWrapper;
let accounts: PolyModel<Account>;
let mine: TenantModel<Account>;
const folder = mkdtempSync(join(tmpdir(), 'polymongo-tour-'));

beforeAll(async () => {
  jest.spyOn(console, 'log').mockImplementation(() => {}); // the README's code prints
  server = await EmbeddedMongo.start();
  const schema = new mongoose.Schema<Account>({ owner: String, balance: Number });
  app = await Test.createTestingModule({
    imports: [
      PolyMongoModule.forRoot({ mongoURI: server.uri, defaultDB: 'main' }),
      PolyMongoModule.forFeature([{ name: 'Account', schema }]),
    ],
    providers: [tour.DatabaseHooks, tour.AccountWatcher, tour.Transfers, tour.Jobs],
  }).compile();
  await app.init();
  polymongo = app.get(PolyMongoWrapper);
  accounts = app.get(getPolyModelToken('Account'));
  mine = app.get(getTenantModelToken('Account'));
});
afterAll(async () => {
  await app.close();
  await server.stop();
  rmSync(folder, { recursive: true });
});

describe('the tour of the README', () => {
  it('gives databases pools of their own', async () => {
    await tour.pools(polymongo, accounts);
    const { separateDB } = await tour.statistics(polymongo);
    expect(separateDB.map(({ dbName, readyState }) => [dbName, readyState])).toEqual([
      ['reports', 1],
      ['billing', 1],
    ]);
  });

  it('commits transactions over the databases of one pool', async () => {
    await accounts.create([
      { owner: 'Ada', balance: 100 },
      { owner: 'Bob', balance: 0 },
    ]);
    await tour.transactions(polymongo, accounts);
    expect((await accounts.findOne({ owner: 'Ada' }))!.balance).toBe(90);
    expect(await accounts.db('archive').countDocuments()).toBe(1);
    await app.get(tour.Transfers).transfer('Ada', 'Bob', 40);
    expect((await accounts.find().sort('owner').lean()).map(({ balance }) => balance)).toEqual([50, 40]);
  });

  it('hands changes to decorated methods', async () => {
    const { seen } = app.get(tour.AccountWatcher);
    await waitFor(() => seen.length >= 2);
    tour.watching(accounts).unsubscribe();
  });

  it('provisions tenants, runs as one and as each', async () => {
    const { total, report } = await tour.tenants(app.get(PolyMongoTenants), mine);
    expect(total).toBe(0);
    expect(report).toHaveLength(1);
    await app.get(tour.Jobs).process({ tenantId: 'acme', owner: 'Eve' });
    expect(await accounts.db('tenant_acme').countDocuments({ owner: 'Eve' })).toBe(1);
  });

  it('copies, exports and imports', async () => {
    await accounts.db('acme').create({ owner: 'Zoe', balance: 1 });
    await tour.backups(polymongo, join(folder, 'acme.json'));
    expect(await accounts.db('acme_restored').findOne().lean()).toMatchObject({ owner: 'Zoe', balance: 1 });
  });
});
