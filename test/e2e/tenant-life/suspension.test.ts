import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject } from '@nestjs/common';
import {
  fromHeader,
  PolyMongoModule,
  PolyMongoTenants,
  SuspensionOffError,
  TenantContext,
  TenantSuspendedError,
  TenantUnknownError,
  type PolyMongoWrapper,
} from 'nestjs-polymongo';
import request from 'supertest';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { startHttpApp, type AdapterName } from '../../support/http-app.js';
import { TenantProcesses } from '../../support/tenant-processes.js';
import { waitFor } from '../../support/wait-for.js';

const SUSPENDABLE = { suspension: { withinMS: 300 } };

let processes: TenantProcesses;
let here: PolyMongoWrapper;
let elsewhere: PolyMongoWrapper;

beforeEach(async () => {
  processes = await TenantProcesses.start();
  here = processes.add(SUSPENDABLE);
  elsewhere = processes.add(SUSPENDABLE);
  await processes.write(here, 'acme');
  await processes.write(elsewhere, 'acme');
});
afterEach(() => processes.stop());

describe('a suspended tenant', () => {
  it('is let in by no process once suspend() has resolved, with its documents and the others untouched', async () => {
    await here.tenants.suspend('acme', { reason: 'unpaid' });
    for (const polymongo of [here, elsewhere]) {
      const refused = processes.write(polymongo, 'acme');
      await expect(refused).rejects.toThrow(TenantSuspendedError);
      await expect(refused).rejects.toMatchObject({ statusCode: 503, retryAfterMS: 60_000, reason: 'unpaid' });
      await expect(refused).rejects.not.toThrow(/unpaid/);
      await processes.write(polymongo, 'globex');
    }
    await here.tenants.resume('acme');
    expect(await processes.count(here, 'acme')).toBe(2);
    await waitFor(() =>
      processes.count(elsewhere, 'acme').then(
        (n) => n === 2,
        () => false,
      ),
    );
  });

  it('gets in nowhere after that, however many write while it is suspended', async () => {
    let isOver = false;
    let afterwards = 0;
    let isHeld = false;
    const writers = [here, elsewhere].map(async (polymongo) => {
      while (!isOver) {
        const wasHeld = isHeld;
        await processes.write(polymongo, 'acme').then(
          () => void (afterwards += Number(wasHeld)),
          () => {},
        );
        await setImmediate(); // refusals come without a pause
      }
    });
    await here.tenants.suspend('acme');
    isHeld = true;
    for (let i = 0; i < 200; i++) await processes.write(elsewhere, 'globex');
    isOver = true;
    await Promise.all(writers);
    expect(afterwards).toBe(0);
  });

  it('is not seen by a process whose knowledge is too old: it asks before it lets anybody in', async () => {
    const asleep = processes.add(SUSPENDABLE);
    await processes.write(asleep, 'acme');
    await here.tenants.suspend('acme');
    await expect(processes.write(asleep, 'acme')).rejects.toThrow(TenantSuspendedError);
  });

  it('has its change streams completed in every process, and the listeners told', async () => {
    const told: unknown[] = [];
    elsewhere.tenants.onSuspended((event) => told.push(event));
    elsewhere.tenants.onResumed((event) => told.push(event));
    const stream = processes.notesOf(elsewhere).db(processes.database('acme')).watch();
    stream.on('change', () => {});
    const closed = once(stream, 'close');
    await here.tenants.suspend('acme', { reason: 'moving' });
    await closed;
    await here.tenants.resume('acme');
    await waitFor(() => told.length === 2);
    const db = processes.database('acme');
    expect(told).toEqual([
      { tenantId: 'acme', db, reason: 'moving' },
      { tenantId: 'acme', db },
    ]);
  });

  it('has a cursor that is left open ended after shutdownTimeoutMS', async () => {
    const hasty = processes.add(SUSPENDABLE, { shutdownTimeoutMS: 50 });
    await hasty.tenants.run('acme', () =>
      processes
        .notesOf(hasty)
        .tenant()
        .create([{ tenant: 'acme' }, { tenant: 'acme' }]),
    );
    const cursor = processes.notesOf(hasty).db(processes.database('acme')).find().batchSize(1).cursor();
    await cursor.next();
    const database = hasty.pools.database(processes.database('acme'));
    expect(database.leaseCount).toBe(1);
    await here.tenants.suspend('acme');
    await waitFor(() => database.leaseCount === 0);
    await expect(cursor.next()).rejects.toThrow(TenantSuspendedError);
  });

  it('stays suspended when it is suspended again, since the first time, with the last reason', async () => {
    await here.tenants.suspend('acme', { reason: 'one' });
    const [first] = await here.tenants.find({ isSuspended: true });
    await elsewhere.tenants.suspend('acme', { reason: 'two' });
    const [second] = await here.tenants.find({ isSuspended: true });
    expect(second!.suspension).toEqual({ since: first!.suspension!.since, reason: 'two' });
    await elsewhere.tenants.resume('acme');
    expect(await here.tenants.find({ isSuspended: true })).toEqual([]);
  });

  it('is passed over by forEach, unless it is named', async () => {
    await processes.write(here, 'globex');
    await here.tenants.suspend('acme');
    const seen = await here.tenants.forEach((tenantId) => tenantId);
    expect(seen.map(({ tenantId }) => tenantId)).not.toContain('acme');
    const named = await here.tenants.forEach(() => {}, { tenants: ['acme'], onError: 'collect' });
    expect(named).toEqual([expect.objectContaining({ ok: false, error: expect.any(TenantSuspendedError) })]);
  });

  it('can be deprovisioned; the next tenant of its id is served', async () => {
    await here.tenants.suspend('acme');
    await here.tenants.deprovision('acme', { confirm: 'acme' });
    await here.tenants.provision('acme');
    expect(await processes.count(here, 'acme')).toBe(0);
  });
});

it('answers 403 without a time to come again where the option says so', async () => {
  const strict = processes.add({ suspension: { withinMS: 300, status: 403 } });
  await strict.tenants.suspend('acme');
  await expect(processes.write(strict, 'acme')).rejects.toMatchObject({ statusCode: 403, retryAfterMS: undefined });
});

it('refuses to suspend a tenant that there is not, or where nobody looks for it', async () => {
  const provisioned = processes.add({ ...SUSPENDABLE, exists: 'provisioned' });
  await expect(provisioned.tenants.suspend('acne')).rejects.toThrow(TenantUnknownError);
  const without = processes.add();
  await expect(without.tenants.suspend('acme')).rejects.toThrow(SuspensionOffError);
  await expect(without.tenants.suspend('acme')).rejects.toThrow(/tenant\.suspension/);
});

it('lets nobody in where it cannot be known who is suspended', async () => {
  const asleep = processes.add(SUSPENDABLE);
  const admin = here.pools.primary.client.db('admin');
  const data = { failCommands: ['find'], errorCode: 8000 };
  await admin.command({ configureFailPoint: 'failCommand', mode: 'alwaysOn', data });
  await expect(processes.write(asleep, 'acme')).rejects.toMatchObject({ code: 8000 });
  await admin.command({ configureFailPoint: 'failCommand', mode: 'off' });
  await processes.write(asleep, 'acme');
});

it.each<AdapterName>(['Express', 'Fastify'])('gives HTTP clients 503 and Retry-After, on %s', async (adapter) => {
  @Controller()
  class Whoami {
    constructor(@Inject(TenantContext) private readonly context: TenantContext) {}
    @Get()
    id() {
      return this.context.current();
    }
  }
  const suspension = { ...SUSPENDABLE.suspension, retryAfterMS: 30_000 };
  const root = PolyMongoModule.forRoot({
    mongoURI: processes.server.uri,
    defaultDB: `${processes.prefix}_default`,
    tenant: { resolve: fromHeader('x-tenant-id'), suspension },
  });
  const app = await startHttpApp({ imports: [root], controllers: [Whoami] }, adapter);
  const get = (tenant: string) => request(app.getHttpServer()).get('/').set('x-tenant-id', tenant);
  await get('acme').expect(200, 'acme');
  await app.get(PolyMongoTenants).suspend('acme', { reason: 'unpaid' });
  const refused = await get('acme').expect(503).expect('retry-after', '30');
  expect(refused.text).not.toContain('unpaid');
  await get('globex').expect(200, 'globex');
  await app.close();
});
