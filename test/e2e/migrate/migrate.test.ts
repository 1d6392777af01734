import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import mongoose from 'mongoose';
import { PolyMongoWrapper } from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { startHttpApp } from '../../support/http-app.js';
import * as before from './mongoose.app.js';
import * as after from './polymongo.app.js';

const FILES = ['test/e2e/migrate/mongoose.app.ts', 'test/e2e/migrate/polymongo.app.ts'] as const;
let server: EmbeddedMongo;
let app: INestApplication<App>;
beforeAll(async () => void (server = await EmbeddedMongo.start()));
afterEach(() => app.close());
afterAll(() => server.stop());

/** What the application's own tests ask of it. */
async function behaves(send: (test: request.Test) => request.Test): Promise<void> {
  const http = request(app.getHttpServer());
  await send(http.post('/cats')).send({ name: 'Kitty' }).expect(201);
  await send(http.post('/cats')).send({ name: 'Kitty' }).expect(500);
  const { body } = await send(http.get('/cats/Kitty')).expect(200);
  expect(body).toMatchObject({ cat: { name: 'Kitty', lives: 9, app: 'cats 1' }, toys: 1 });
}

describe('an application of @nestjs/mongoose', () => {
  it('works as it is', async () => {
    app = await startHttpApp(before.appModule(server.uri));
    await behaves((test) => test);
  });

  it('works for each tenant by itself with other imports and decorators', async () => {
    app = await startHttpApp(after.appModule(server.uri));
    for (const tenant of ['acme', 'globex']) await behaves((test) => test.set('x-tenant-id', tenant));
    const toys = (db: string) => app.get(PolyMongoWrapper).pools.connectionOf(db).collection('toys').countDocuments();
    expect(await Promise.all(['tenant_acme', 'tenant_globex'].map(toys))).toEqual([1, 1]);
    expect(mongoose.connections.filter(({ readyState }) => readyState === 1)).toEqual([]);
  });

  it('is moved by the diff that the page shows', async () => {
    app = await startHttpApp({});
    const { stdout } = spawnSync('diff', ['-U0', '--label=before', '--label=after', ...FILES], { encoding: 'utf8' });
    const [, shown] = /```diff\n([\s\S]*?)```/.exec(readFileSync('docs/migrate.md', 'utf8'))!;
    expect(shown).toBe(stdout.replace(/^@@.*@@\n/gm, ''));
  });
});
