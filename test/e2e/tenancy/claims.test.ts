import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
} from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import {
  fromClaim,
  fromCookie,
  fromHeader,
  fromPath,
  fromPayload,
  fromSubdomain,
  InjectTenantModel,
  TenantContext,
  TenantExceptionFilter,
  TenantInterceptor,
  type TenantModel,
  type TenantOptions,
  type TenantRequest,
  type TenantResolver,
} from 'nestjs-polymongo';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { ADAPTERS, startHttpApp, type AdapterName } from '../../support/http-app.js';
import { Loopback } from '../../support/loopback.transport.js';
import { Note, notesModules } from '../../support/notes.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

interface Said {
  path?: string;
  headers?: Record<string, string>;
}

/** Nothing is taken from a query but by a function of the application's own. */
const fromQuery: TenantResolver = ({ originalUrl, url = '' }) =>
  new URL(originalUrl ?? url, 'http://host').searchParams.get('tenant') ?? undefined;
const hasClaim = (said: Said, of: string): Said => ({ ...said, headers: { ...said.headers, authorization: of } });

/** Each way in which a client may name a tenant, and what it sends. */
const WAYS: Record<string, [TenantResolver, (tenant: string) => Said]> = {
  header: [fromHeader('x-tenant'), (tenant) => ({ headers: { 'x-tenant': tenant } })],
  'header, sent twice': [fromHeader('x-tenant'), (tenant) => ({ headers: { 'x-tenant': `${tenant}, ${tenant}` } })],
  cookie: [fromCookie('tenant'), (tenant) => ({ headers: { cookie: `tenant=${tenant}` } })],
  path: [fromPath('/shops/:tenant'), (tenant) => ({ path: `/shops/${tenant}/who` })],
  subdomain: [fromSubdomain(), (tenant) => ({ headers: { host: `${tenant}.example.com` } })],
  'subdomain of a base': [
    fromSubdomain({ baseDomain: 'example.com' }),
    (tenant) => ({ headers: { host: `${tenant}.EXAMPLE.com:8080` } }),
  ],
  query: [fromQuery, (tenant) => ({ path: `/who?tenant=${tenant}` })],
  'an asynchronous look-up': [
    async ({ headers }) => ({ 'key-acme': 'acme', 'key-globex': 'globex' })[String(headers['x-key'])],
    (tenant) => ({ headers: { 'x-key': `key-${tenant}` } }),
  ],
};
/** A header with two values is refused, claim or not. */
const { 'header, sent twice': _, ...DECIDABLE } = WAYS;

/** Of the guards and handlers that ran, in which state. */
let seen: string[];

/** Stands for the verification of a token: what `Authorization` names, or `org` of a message's context. */
@Injectable()
class Authentication implements CanActivate {
  constructor(
    @Inject(TenantContext) readonly context: TenantContext,
    @InjectTenantModel(Note.name) readonly notes: TenantModel<Note>,
  ) {}
  async canActivate(execution: ExecutionContext): Promise<boolean> {
    seen.push(`guard: ${this.context.state}`);
    await expect(Promise.resolve().then(() => this.notes.countDocuments())).rejects.toThrow('No tenant yet');
    if (execution.getType() === 'rpc') {
      const { claim } = execution.switchToRpc().getData<{ claim?: string }>();
      execution.switchToRpc().getContext<{ user?: unknown }>().user = claim && { org: claim };
    } else {
      const call = execution.switchToHttp().getRequest<TenantRequest>();
      const { authorization } = call.headers;
      if (authorization) call.user = { org: authorization };
    }
    return true;
  }
}

@Controller()
@UseGuards(Authentication)
class WhoController {
  constructor(
    @Inject(TenantContext) readonly context: TenantContext,
    @InjectTenantModel(Note.name) readonly notes: TenantModel<Note>,
  ) {}

  @Get(['who', 'shops/:shop/who'])
  async who() {
    seen.push(`handler: ${this.context.state}`);
    await this.notes.countDocuments();
    return { tenant: this.context.require() };
  }

  @MessagePattern('who')
  @UseInterceptors(TenantInterceptor)
  @UseFilters(TenantExceptionFilter)
  message() {
    return this.who();
  }
}

describe.each(Object.keys(ADAPTERS) as AdapterName[])('what a client says beside a claim, on %s', (adapter) => {
  let server: TestServer;
  let app: INestApplication<App>;

  beforeAll(async () => {
    server = await startTestServer();
  });
  afterEach(() => app.close());
  afterAll(() => server.stop());

  const start = async (tenant: TenantOptions, loopback = new Loopback()) => {
    app = await startHttpApp(
      { imports: notesModules(server.uri, tenant), controllers: [WhoController] },
      adapter,
      (created) => void created.connectMicroservice({ strategy: loopback }),
    );
    await app.startAllMicroservices();
  };
  /** Who the request was served as, or its status; and what ran of it. */
  const ask = async ({ path = '/who', headers = {} }: Said) => {
    seen = [];
    const { status, body } = await request(app.getHttpServer()).get(path).set(headers);
    return [status === 200 ? body.tenant : status, ...seen];
  };

  it.each(Object.entries(DECIDABLE))('decides nothing: %s', async (_, [resolver, says]) => {
    for (const resolve of [
      [resolver, fromClaim('org')],
      [fromClaim('org'), resolver],
    ]) {
      await start({ resolve });
      expect(await ask(says('acme'))).toEqual([400, 'guard: pending', 'handler: none']);
      expect(await ask(hasClaim(says('acme'), 'globex'))).toEqual([403, 'guard: pending']);
      expect(await ask(hasClaim(says('acme'), 'acme'))).toEqual(['acme', 'guard: pending', 'handler: acme']);
      expect(await ask(hasClaim({}, 'acme'))).toEqual(['acme', 'guard: pending', 'handler: acme']);
      if (resolve[0] === resolver) await app.close();
    }
  });

  it('decides nothing: a header that is sent twice', async () => {
    const [resolver, says] = WAYS['header, sent twice']!;
    await start({ resolve: [resolver, fromClaim('org')] });
    for (const said of [says('acme'), hasClaim(says('acme'), 'globex')]) {
      const [status] = await ask(said);
      expect([400, 403]).toContain(status);
      expect(seen).not.toContain('handler: acme');
    }
  });

  it('decides nothing together: all ways that name one tenant', async () => {
    const all = Object.values(DECIDABLE);
    await start({ resolve: [...all.map(([resolver]) => resolver), fromClaim('org')] });
    const said = (tenant: string): Said => ({
      path: `/shops/${tenant}/who?tenant=${tenant}`,
      headers: Object.assign({}, ...all.map(([, says]) => says(tenant).headers)) as Record<string, string>,
    });
    expect(await ask(said('acme'))).toEqual([400, 'guard: pending', 'handler: none']);
    expect(await ask(hasClaim(said('acme'), 'globex'))).toEqual([403, 'guard: pending']);
    expect(await ask(hasClaim(said('acme'), 'acme'))).toEqual(['acme', 'guard: pending', 'handler: acme']);
  });

  it('decides nothing of a message: its payload', async () => {
    const loopback = new Loopback();
    await start({ resolve: [fromPayload('tenant'), fromClaim('org')] }, loopback);
    const tell = async (data: object) => {
      seen = [];
      const answer = await loopback.ask('who', data).catch((error: { statusCode: number }) => error.statusCode);
      return [answer, ...seen];
    };
    expect(await tell({ tenant: 'acme' })).toEqual([400, 'guard: pending', 'handler: none']);
    expect(await tell({ tenant: 'acme', claim: 'globex' })).toEqual([403, 'guard: pending']);
    expect(await tell({ tenant: 'acme', claim: 'acme' })).toEqual([
      { tenant: 'acme' },
      'guard: pending',
      'handler: acme',
    ]);
  });
});
