import { expect, it } from '@jest/globals';
import { getConnectionToken, getModelToken } from '@nestjs/mongoose';
import { Test } from '@nestjs/testing';
import type { Connection, Model } from 'mongoose';
import { PolyMongoPools, PolyMongoTenants, PolyMongoWrapper } from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import * as page from './migrate.js';

it('the code of docs/migrate.md does what the page says', async () => {
  const [main, other] = await Promise.all([EmbeddedMongo.start(), EmbeddedMongo.start()]);
  const library = await Test.createTestingModule({ imports: page.forLibraries(main.uri) }).compile();
  await library.init();
  const cats = library.get<Model<{ name: string }>>(getModelToken('Cat'), { strict: false });
  expect(cats.db).toBe(library.get<Connection>(getConnectionToken(), { strict: false }));
  expect(cats.db.readyState).toBe(1);
  await library.close();

  page.clusters.of = (tenantId) => Promise.resolve(tenantId === 'acme' ? other.uri : main.uri);
  const app = await Test.createTestingModule({ imports: [page.withClusters(main.uri)] }).compile();
  await app.init();
  const pools = app.get(PolyMongoPools);
  await app.get(PolyMongoTenants).run('acme', () => pools.connectionOf('shop-acme').collection('cats').insertOne({}));
  expect(pools.poolOf('shop-acme').config.mongoURI).toBe(other.uri);
  expect((await app.get(PolyMongoWrapper).stats.db('shop-acme')).collections).toMatchObject([{ name: 'cats' }]);
  await app.close();
  await Promise.all([main.stop(), other.stop()]);
});
