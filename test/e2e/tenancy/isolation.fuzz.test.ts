import { afterEach, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Inject, Post, Sse, type INestApplication } from '@nestjs/common';
import {
  fromHeader,
  InjectTenantModel,
  PolyMongoTenants,
  TenantContext,
  WithTenant,
  type TenantModel,
  type TenantOptions,
} from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { interval, lastValueFrom, map, mergeMap, take, toArray } from 'rxjs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startHttpApp } from '../../support/http-app.js';
import { Note, notesModules } from '../../support/notes.js';

const TENANTS = Array.from({ length: 50 }, (_, i) => `t${i}`);
/** Requests in all; the whole fuzz is POLYMONGO_FUZZ_REQUESTS=20000. */
const REQUESTS = Number(process.env.POLYMONGO_FUZZ_REQUESTS ?? 600);
const AT_ONCE = 40;

const random = (below: number): number => Math.floor(Math.random() * below);
const pick = <T>(from: readonly T[]): T => from[random(from.length)]!;
const pause = () => new Promise<void>((resolve) => setTimeout(resolve, random(4)));

/** Everything that was found in a database whose tenant is another. */
const crossings: string[] = [];

@Controller()
class FuzzController {
  constructor(
    @InjectTenantModel(Note.name) readonly notes: TenantModel<Note>,
    @Inject(TenantContext) readonly context: TenantContext,
    @Inject(PolyMongoTenants) readonly tenants: PolyMongoTenants,
  ) {}

  /** Writes and reads as the current tenant, which has to be this one. */
  async work(tenant: string): Promise<string> {
    await pause();
    if (this.context.current() !== tenant) crossings.push(`${tenant} ran as ${this.context.current()}`);
    await this.notes.create({ tenant: this.context.require() });
    const wrong = await this.notes.findOne({ tenant: { $ne: tenant } }).lean();
    if (wrong) crossings.push(`${tenant} found a document of ${wrong.tenant}`);
    return tenant;
  }

  @Get('get')
  async get() {
    return { tenant: await this.work(this.context.require()) };
  }

  @Post('post')
  async post(@Body() { tenant }: { tenant: string }) {
    const [one, two] = await Promise.all([this.work(tenant), this.work(tenant)]);
    return { tenant: one === two ? one : 'mixed' };
  }

  @Get('fails')
  async fails() {
    await this.work(this.context.require());
    throw new Error('as it should');
  }

  @Sse('events')
  events() {
    return interval(1).pipe(
      take(2),
      mergeMap(async () => ({ data: { tenant: await this.work(this.context.require()) } })),
    );
  }

  @WithTenant((tenant: string) => tenant)
  async job(tenant: string): Promise<void> {
    await this.work(tenant);
  }

  async nested(tenant: string): Promise<void> {
    const other = pick(TENANTS);
    await this.tenants.run(tenant, async () => {
      await Promise.all([this.tenants.run(other, () => this.work(other)), this.work(tenant)]);
      await this.work(tenant);
    });
  }

  async timer(tenant: string): Promise<void> {
    await this.tenants.run(
      tenant,
      () => new Promise((resolve, reject) => setTimeout(() => this.work(tenant).then(resolve, reject), random(5))),
    );
  }

  async generator(tenant: string): Promise<void> {
    const work = () => this.work(tenant);
    const steps = this.context.run(tenant, async function* () {
      yield await work();
      yield await work();
    });
    await this.context.run(pick(TENANTS), async () => {
      for await (const seen of steps) expect(seen).toBe(tenant);
    });
  }

  async stream(tenant: string): Promise<void> {
    const seen = this.context.run(tenant, () =>
      interval(1).pipe(
        take(2),
        mergeMap(() => this.work(tenant)),
        map(() => this.context.current()),
        toArray(),
      ),
    );
    expect(await this.context.run(pick(TENANTS), () => lastValueFrom(seen))).toEqual([tenant, tenant]);
  }

  async cursor(tenant: string): Promise<void> {
    await this.tenants.run(tenant, async () => {
      await this.work(tenant);
      for await (const note of this.notes.find().limit(5).cursor()) {
        if (note.tenant !== tenant) crossings.push(`${tenant} read ${note.tenant}`);
      }
    });
  }
}

describe('isolation under load', () => {
  let server: EmbeddedMongo;
  let app: INestApplication;

  afterEach(async () => {
    // fetch keeps sockets on which an aborted request was never sent, and no server counts those as idle.
    (app?.getHttpServer() as Server | undefined)?.closeAllConnections();
    await app?.close();
    await server?.stop();
  });

  const start = async (tenant: TenantOptions, limits: object = {}): Promise<void> => {
    crossings.length = 0;
    server = await EmbeddedMongo.start();
    app = await startHttpApp(
      {
        imports: notesModules(server.uri, { resolve: fromHeader('x-tenant-id'), ...tenant }, limits),
        controllers: [FuzzController],
      },
      'Fastify',
    );
  };

  /** Every kind of request, for tenants at random; gives how many succeeded. */
  async function fuzz(): Promise<number> {
    const controller = app.get(FuzzController);
    const { port } = app.getHttpServer().address() as AddressInfo;
    const call = async (tenant: string, path: string, init: RequestInit = {}): Promise<void> => {
      const headers = { 'x-tenant-id': tenant, 'content-type': 'application/json' };
      const answer = await fetch(`http://127.0.0.1:${port}/${path}`, { ...init, headers });
      const text = await answer.text();
      for (const [, seen] of text.matchAll(/"tenant":"(\w+)"/g)) {
        if (seen !== tenant) crossings.push(`${tenant} was answered as ${seen}`);
      }
    };
    const kinds: ((tenant: string) => Promise<void>)[] = [
      (tenant) => call(tenant, 'get'),
      (tenant) => call(tenant, 'post', { method: 'POST', body: JSON.stringify({ tenant }) }),
      (tenant) => call(tenant, 'fails'),
      (tenant) => call(tenant, 'events'),
      (tenant) => call(tenant, 'get', { signal: AbortSignal.timeout(1 + random(5)) }),
      (tenant) => controller.job(tenant),
      (tenant) => controller.nested(tenant),
      (tenant) => controller.timer(tenant),
      (tenant) => controller.generator(tenant),
      (tenant) => controller.stream(tenant),
      (tenant) => controller.cursor(tenant),
    ];
    let begun = 0;
    let succeeded = 0;
    const worker = async (): Promise<void> => {
      while (begun < REQUESTS) {
        const kind = kinds[begun++ % kinds.length]!;
        await kind(pick(TENANTS)).then(
          () => succeeded++,
          () => {}, // an abort, or the server being away
        );
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return succeeded;
  }

  /** Looks into every database from outside of any tenant. */
  async function countCrossed(): Promise<[documents: number, crossed: number]> {
    const tenants = app.get(PolyMongoTenants);
    const { notes } = app.get(FuzzController);
    const results = await tenants.forEach(
      async (tenant) =>
        [await notes.countDocuments(), await notes.countDocuments({ tenant: { $ne: tenant } })] as const,
      { tenants: TENANTS, concurrency: 2 },
    );
    const counts = results.map((result) => (result.ok ? result.value : [0, 0]));
    return [counts.reduce((sum, [all]) => sum + all!, 0), counts.reduce((sum, [, wrong]) => sum + wrong!, 0)];
  }

  it('no document crosses', async () => {
    await start({});
    expect(await fuzz()).toBeGreaterThan(REQUESTS * 0.8);
    const [documents, crossed] = await countCrossed();
    expect(documents).toBeGreaterThan(REQUESTS);
    expect([crossed, crossings]).toEqual([0, []]);
  }, 600_000);

  it('no document crosses while handles and pools are evicted and the server restarts', async () => {
    await start(
      { connection: (id) => (id.endsWith('5') ? { options: { maxConnections: 2 } } : undefined) },
      { maxPoolSize: 8, maxTotalConnections: 14, maxCachedDatabases: 10 },
    );
    let isOver = false;
    const restarts = (async () => {
      for (; !isOver; await new Promise((resolve) => setTimeout(resolve, 2000))) await server.restart();
    })();
    const succeeded = await fuzz();
    isOver = true;
    await restarts;
    expect(succeeded).toBeGreaterThan(REQUESTS * 0.3);
    const [, crossed] = await countCrossed();
    expect([crossed, crossings]).toEqual([0, []]);
  }, 600_000);
});
