import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CacheModule } from '@nestjs/cache-manager';
import { Controller, Get, UseInterceptors, type INestApplication } from '@nestjs/common';
import { context, propagation, ROOT_CONTEXT, trace, type Span } from '@opentelemetry/api';
import * as Sentry from '@sentry/core';
import { transformFile } from '@swc/core';
import { fromHeader, PolyMongoModule, TenantContext, type TenantOptions } from 'nestjs-polymongo';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { startHttpApp } from '../../support/http-app.js';
import { Contexts } from '../../support/opentelemetry.js';
import * as page from './entering-a-tenant.js';

let handled = 0;
/** What the handler of a request is to tell. */
let tell: () => unknown = () => undefined;

@Controller()
class Orders {
  @Get('orders')
  async orders() {
    await new Promise((resolve) => setImmediate(resolve));
    return { told: tell(), handled: ++handled };
  }

  @Get('cached')
  @UseInterceptors(page.TenantCacheInterceptor)
  cached() {
    return this.orders();
  }
}

describe('docs/entering-a-tenant.md', () => {
  let app: INestApplication<App>;
  let tenant: TenantContext;
  beforeAll(() => void context.setGlobalContextManager(new Contexts()));
  afterEach(() => app.close());

  const start = async (onEnter?: TenantOptions['onEnter']) => {
    app = await startHttpApp({
      imports: [
        PolyMongoModule.forRoot({
          mongoURI: 'mongodb://127.0.0.1:1', // nothing is sent
          tenant: { resolve: fromHeader('x-tenant-id'), ...(onEnter && { onEnter }) },
        }),
        CacheModule.register(),
      ],
      controllers: [Orders],
      providers: [page.TenantLogger],
    });
    tenant = app.get(TenantContext);
  };
  const ask = async (path: string, tenantId?: string) => {
    const call = request(app.getHttpServer()).get(path);
    const { status, body } = await (tenantId ? call.set('x-tenant-id', tenantId) : call);
    return status === 200 ? body : status;
  };

  it("has the tenant in each line of Nest's logger", async () => {
    await start();
    const logger = app.get(page.TenantLogger);
    const lines: string[] = [];
    const write = jest.spyOn(process.stdout, 'write').mockImplementation((line) => lines.push(String(line)) > 0);
    tenant.run('acme', () => logger.log('sold'));
    logger.log('started');
    write.mockRestore();
    expect(lines.map((line) => /^\[(\w+)\].*(sold|started)/.exec(line)?.slice(1))).toEqual([
      ['acme', 'sold'],
      ['none', 'started'],
    ]);
  });

  it('has it in each line of pino', async () => {
    await start();
    const lines: string[] = [];
    const logger = page.pinoLogger(tenant, { write: (line) => void lines.push(line) });
    tell = () => logger.info('sold');
    await ask('/orders', 'acme');
    tenant.run('globex', () => logger.info('sold'));
    expect(lines.map((line) => (JSON.parse(line) as { tenant: string }).tenant)).toEqual(['acme', 'globex']);
  });

  it('has it on the span and in the baggage of OpenTelemetry, and keeps what else is there', async () => {
    await start(page.traced);
    const span = trace.wrapSpanContext({ traceId: '1'.repeat(32), spanId: '1'.repeat(16), traceFlags: 1 });
    const attributes: unknown[] = [];
    const seen: Span = Object.assign(Object.create(span) as Span, {
      setAttribute: (...attribute: unknown[]) => (attributes.push(attribute), seen),
    });
    const around = propagation.setBaggage(
      trace.setSpan(ROOT_CONTEXT, seen),
      propagation.createBaggage({ shop: { value: 'north' } }),
    );
    const baggage = () => propagation.getActiveBaggage()?.getAllEntries();
    const [entries, active] = await context.with(around, () =>
      tenant.run('acme', async () => {
        await new Promise((resolve) => setImmediate(resolve));
        return [baggage(), trace.getActiveSpan()];
      }),
    );
    expect(attributes).toEqual([['tenant.id', 'acme']]);
    expect(entries).toEqual([
      ['shop', { value: 'north' }],
      ['tenant.id', { value: 'acme' }],
    ]);
    expect(active).toBe(seen);
    tell = baggage;
    expect((await ask('/orders', 'acme')).told).toEqual([['tenant.id', { value: 'acme' }]]);
  });

  it("has it in Sentry's scope", async () => {
    await start(page.reported);
    const tags = () => Sentry.getCurrentScope().getScopeData().tags;
    expect(tenant.run('acme', tags)).toEqual({ tenant: 'acme', 'tenant.work': 'run' });
    expect(tags()).toEqual({});
  });

  it('keeps what is cached by tenant, and nothing of nobody', async () => {
    await start();
    const handledFor = async (tenantId?: string) => (await ask('/cached', tenantId)).handled as number;
    const acme = await handledFor('acme');
    expect(await handledFor('globex')).toBe(acme + 1);
    expect(await handledFor('acme')).toBe(acme);
    expect([await handledFor(), await handledFor()]).toEqual([acme + 2, acme + 3]);
  });
});

const inNode = existsSync('dist/esm/index.js') ? describe : describe.skip; // npm run build makes it

inNode('docs/entering-a-tenant.md, in Node as it is', () => {
  let told: { kept: unknown; statuses: unknown };
  beforeAll(async () => {
    // Below dist the package is found by its own name, as it was built.
    const folder = await mkdtemp('dist/docs-');
    try {
      const { code } = await transformFile(`${import.meta.dirname}/entering-a-tenant.node.ts`, {
        swcrc: false,
        module: { type: 'es6' },
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: true },
        },
      });
      await writeFile(`${folder}/main.js`, code);
      const { stdout } = await promisify(execFile)(process.execPath, [`${folder}/main.js`]);
      told = JSON.parse(stdout) as typeof told;
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('has it in nestjs-cls', () => {
    expect(told.kept).toEqual([
      ['acme', 'initech', 'acme'],
      [null, 'initech', null],
    ]);
  });

  it('limits each tenant by itself', () => {
    const limited = [200, 200, 429];
    expect(told.statuses).toEqual({ acme: limited, globex: limited, none: limited });
  });
});
