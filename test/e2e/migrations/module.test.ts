import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Module, type INestApplication, type Type } from '@nestjs/common';
import {
  fromHeader,
  InjectTenantModel,
  Migration,
  PolyMongoMigrations,
  PolyMongoMigrationsModule,
  PolyMongoTenants,
  PolyMongoWrapper,
  TenantBehindError,
  type MigrationContext,
  type MigrationInstance,
  type MigrationsOptions,
  type TenantModel,
} from 'nestjs-polymongo';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { deferred } from '../../support/deferred.js';
import { startHttpApp, type AdapterName } from '../../support/http-app.js';
import { Note, notesModules } from '../../support/notes.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';
import { migration, noting } from './migrations.fixture.js';

@Controller()
class Notes {
  constructor(@InjectTenantModel(Note.name) private readonly notes: TenantModel<Note>) {}
  @Get()
  async list() {
    return (await this.notes.find()).map(({ text }) => text);
  }
}

let server: TestServer;
let apps: INestApplication<App>[];
beforeEach(async () => {
  server = await startTestServer();
  apps = [];
});
afterEach(async () => {
  for (const app of apps) await app.close();
  await server.stop();
});

/** An application with notes; of another version on the same databases where `modules` is given. */
async function start(
  classes: Type<MigrationInstance>[],
  options: MigrationsOptions = {},
  { adapter, modules }: { adapter?: AdapterName; modules?: ReturnType<typeof notesModules> } = {},
) {
  const root = modules ?? notesModules(server.uri, { resolve: fromHeader('x-tenant-id') });
  const migrations = PolyMongoMigrationsModule.forRoot({ classes, ...options });
  const app = await startHttpApp({ imports: [...root, migrations], controllers: [Notes] }, adapter);
  apps.push(app);
  const ask = (tenantId: string) => request(app.getHttpServer()).get('/').set('x-tenant-id', tenantId);
  return { app, ask, modules: root, tenants: app.get(PolyMongoTenants), migrations: app.get(PolyMongoMigrations) };
}

describe('a tenant behind the code', () => {
  it.each<AdapterName>(['Express', 'Fastify'])('is refused with 503 and Retry-After, on %s', async (adapter) => {
    const { ask, tenants, app } = await start(
      [noting('0001-a')],
      { behind: 'refuse', retryAfterMS: 1500 },
      { adapter },
    );
    const refused = await ask('acme');
    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toBe('2');
    expect(refused.body).toMatchObject({ statusCode: 503, error: 'Service Unavailable' });
    const models = app.get(PolyMongoWrapper).tenants;
    await expect(models.run('acme', () => 1)).rejects.toThrow(TenantBehindError);
    await tenants.migrate({ tenants: ['acme'] });
    expect((await ask('acme')).body).toEqual(['0001-a']);
    expect((await ask('globex')).status).toBe(503);
  });

  it('is served by default', async () => {
    const { ask } = await start([noting('0001-a')]);
    expect((await ask('acme')).body).toEqual([]);
  });

  it('is migrated with its first use, which waits for it; all who come meanwhile wait for the one run', async () => {
    let runs = 0;
    const counted = migration('0002-b', () => void runs++);
    const { ask } = await start([noting('0001-a'), counted], { runs: 'lazily', behind: 'wait' });
    const answers = await Promise.all([1, 2, 3].map(() => ask('acme')));
    expect(answers.map(({ body }) => body as unknown)).toEqual(Array(3).fill(['0001-a']));
    expect(runs).toBe(1);
  });

  it('is refused where its run failed, which keeps no other tenant out, and is not tried at once again', async () => {
    let runs = 0;
    const fails = migration('0001-a', ({ tenant }) => {
      if (tenant === 'acme') throw new Error(`no ${++runs}`);
    });
    const { ask, app } = await start([fails], { runs: 'lazily', behind: 'wait' });
    const errors: unknown[] = [];
    app.get(PolyMongoWrapper).onDbError((error) => errors.push(error));
    expect((await ask('acme')).status).toBe(503);
    expect((await ask('acme')).status).toBe(503);
    expect((await ask('globex')).status).toBe(200);
    expect(runs).toBe(1);
    expect(errors).toHaveLength(1);
  });

  it('is waited for while another process migrates it', async () => {
    const [reached, goOn] = [deferred(), deferred()];
    const slow = migration('0001-a', async ({ db }) => {
      await db.collection('notes').insertOne({ tenant: 'acme', text: 'slow' });
      reached.resolve();
      await goOn.promise;
    });
    const worker = await start([slow]);
    const { ask } = await start([noting('0001-a')], { behind: 'wait' }, { modules: worker.modules });
    const running = worker.tenants.migrate({ tenants: ['acme'] }).then(() => undefined);
    await reached.promise;
    const answer = ask('acme').then(({ body }) => body as unknown);
    goOn.resolve();
    await running;
    expect(await answer).toEqual(['slow']);
  });
});

it('a tenant ahead of the code is served, or refused with 503', async () => {
  const later = await start([noting('0001-a'), noting('0002-b')]);
  await later.tenants.migrate({ tenants: ['acme'] });
  const { modules } = later;
  expect((await (await start([noting('0001-a')], {}, { modules })).ask('acme')).status).toBe(200);
  const refusing = await start([noting('0001-a')], { ahead: 'refuse' }, { modules });
  const refused = await refusing.ask('acme');
  expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5']);
  expect((await refusing.ask('globex')).status).toBe(200);
});

describe('at the start', () => {
  it('all tenants are migrated before the application listens', async () => {
    const { tenants, modules } = await start([noting('0001-a')]);
    await Promise.all(['acme', 'globex'].map((id) => tenants.provision(id)));
    const { migrations } = await start([noting('0001-a'), noting('0002-b')], { runs: 'at-start' }, { modules });
    const status = await migrations.status();
    expect(status.map((each) => each.ok && each.value.version)).toEqual(['0002-b', '0002-b']);
  });

  it('an error keeps it from starting, unless they are collected', async () => {
    const { tenants, modules } = await start([noting('0001-a')]);
    await tenants.provision('acme');
    const fails = migration('0002-b', () => Promise.reject(new Error('no')));
    const classes = [noting('0001-a'), fails];
    await expect(start(classes, { runs: 'at-start' }, { modules })).rejects.toThrow(/up of 0002-b failed/);
    const { ask } = await start(classes, { runs: 'at-start', onError: 'collect' }, { modules });
    expect((await ask('acme')).body).toEqual(['0001-a']);
  });
});

@Injectable()
class Clock {
  readonly now = 'noon';
}
@Module({ providers: [Clock], exports: [Clock] })
class ClockModule {}

@Migration('0001-clock')
class Clocked {
  constructor(private readonly clock: Clock) {}
  async up({ model }: MigrationContext) {
    await model<Note>(Note.name).create({ tenant: 'acme', text: this.clock.now });
  }
}

it('classes inject what their modules export', async () => {
  const root = notesModules(server.uri, { resolve: fromHeader('x-tenant-id') });
  const migrations = PolyMongoMigrationsModule.forRootAsync({
    imports: [ClockModule],
    classes: [Clocked],
    useFactory: () => ({ runs: 'lazily', behind: 'wait' }),
  });
  const app = await startHttpApp({ imports: [...root, migrations], controllers: [Notes] });
  apps.push(app);
  expect((await request(app.getHttpServer()).get('/').set('x-tenant-id', 'acme')).body).toEqual(['noon']);
});
