import type { Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Inject,
  Module,
  Param,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type MiddlewareConsumer,
  type NestModule,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { fromClaim, fromHeader, fromPath, PolyMongoModule, TenantContext } from 'nestjs-polymongo';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { ADAPTERS, startHttpApp, type AdapterName } from '../../support/http-app.js';

/** What the guard saw of the tenant; it takes the claim from a header. */
let guardSaw: string[];

@Controller()
class WhoController {
  constructor(@Inject(TenantContext) readonly context: TenantContext) {}

  @Get('shops/:tenant/who')
  ofShop(@Param('tenant') shop: string) {
    return { shop, tenant: this.context.state };
  }

  @Get('who')
  who() {
    return { tenant: this.context.state };
  }
}

class ClaimGuard implements CanActivate {
  constructor(@Inject(TenantContext) readonly context: TenantContext) {}
  canActivate(execution: ExecutionContext): boolean {
    guardSaw.push(this.context.state);
    const asked = execution.switchToHttp().getRequest<{ headers: Record<string, string>; user?: object }>();
    if (asked.headers['x-claim']) asked.user = { org: asked.headers['x-claim'] };
    return true;
  }
}

type RawOf = (request: object, first: object) => unknown;
/** What middleware leaves in `raw`, of an Express application and of its modules. */
let rawOf: RawOf | undefined;
let first: object | undefined;
function leaveRaw(asked: { raw?: unknown }, _: unknown, next: () => void): void {
  if (rawOf) asked.raw = rawOf(asked, (first ??= asked));
  next();
}

@Module({})
class RawModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(leaveRaw).forRoutes('*path');
  }
}

let app: INestApplication<App>;
async function start(adapter: AdapterName, prepare?: (app: INestApplication<App>) => void): Promise<void> {
  guardSaw = [];
  const resolve = [fromHeader('x-tenant'), fromPath('/shops/:tenant'), fromClaim('org')];
  app = await startHttpApp(
    {
      imports: [PolyMongoModule.forRoot({ mongoURI: 'mongodb://127.0.0.1:1', tenant: { resolve } }), RawModule],
      controllers: [WhoController],
      providers: [{ provide: APP_GUARD, useClass: ClaimGuard }],
    },
    adapter,
    prepare,
  );
}
afterEach(() => app.close());

/** The answer to a request as it is written here: what a client library would make of it is not of interest. */
const written = (target: string, ...headers: string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
    const lines = [`GET ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers];
    const socket = connect(port, 'localhost', () => socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
    let answer = '';
    socket
      .on('data', (data) => (answer += String(data)))
      .once('close', () => resolve(answer))
      .once('error', reject);
  });
const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);

describe.each(Object.keys(ADAPTERS) as AdapterName[])('a hostile request on %s', (adapter) => {
  it('is no handshake for saying so: its tenant is asked for, pending and compared as ever', async () => {
    await start(adapter);
    const upgrade = 'Upgrade: websocket';
    for (const connection of ['close', 'Upgrade']) {
      const ask = (...args: [string, ...string[]]) => written(...args, upgrade, `Connection: ${connection}`);
      expect(statusOf(await ask('/shops/globex/who', 'X-Claim: acme'))).toBe(403);
      expect(statusOf(await ask('/who', 'X-Tenant: globex', 'X-Claim: acme'))).toBe(403);
      expect(await ask('/who', 'X-Claim: acme')).toContain('{"tenant":"acme"}');
    }
    expect(new Set(guardSaw)).toEqual(new Set(['pending']));
  });

  it.each([
    '/shops\\globex/who#',
    '/shops\\globex\\who#x',
    '/shops/globex/who#',
    '//user@host/shops/globex/who#',
    '//user@host/shops/globex/who?\xa0',
    'http://x\\shops/globex/who',
    "http://x'/shops/globex/who",
    'http://user@x/shops/globex/who',
  ])('is not served another path than is compared: %s', async (target) => {
    await start(adapter);
    const answer = await written(target, 'X-Claim: acme');
    expect(answer).not.toMatch(/"shop":"globex","tenant":"acme"/);
    expect(statusOf(answer)).toBeGreaterThanOrEqual(400);
  });
});

describe.each(['the application', 'a module'])(
  'what middleware of %s leaves in the `raw` of an Express request',
  (of) => {
    const shared = {};
    afterEach(() => {
      rawOf = first = undefined;
    });

    it.each<[string, RawOf]>([
      ['an object that all share', () => shared],
      ['an object of its own', () => ({})],
      ['the bytes of its body', () => Buffer.from('body')],
      ['a text', () => 'body'],
      ['another request', (_, first) => first],
    ])('decides nothing: %s', async (_, given) => {
      const isOfApplication = of === 'the application';
      await start('Express', (created) => void (isOfApplication && created.use(leaveRaw)));
      rawOf = given;
      for (const tenant of ['acme', 'globex', 'initech'])
        expect((await request(app.getHttpServer()).get('/who').set('x-claim', tenant)).body).toEqual({ tenant });
      expect((await request(app.getHttpServer()).get('/who')).body).toEqual({ tenant: 'none' });
    });
  },
);
