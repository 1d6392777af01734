import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Scope,
  UseGuards,
  UseInterceptors,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type MiddlewareConsumer,
} from '@nestjs/common';
import { ContextIdFactory } from '@nestjs/core';
import { MessagePattern } from '@nestjs/microservices';
import {
  fromClaim,
  fromHeader,
  TENANT_ID,
  TenantContext,
  TenantContextIdStrategy,
  TenantInterceptor,
  type TenantRequest,
} from 'nestjs-polymongo';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { ADAPTERS, startHttpApp, type AdapterName } from '../../support/http-app.js';
import { Loopback } from '../../support/loopback.transport.js';
import { notesModules } from '../../support/notes.js';
import { SharedResource } from '../../support/shared-resource.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

let made = 0;
const shared = new SharedResource();

/** Made before the guards of the call, kept for as long as its strategy says. */
@Injectable({ scope: Scope.REQUEST, durable: true })
class Durable {
  readonly serial = ++made;
  readonly madeIn: string;
  constructor(@Inject(TenantContext) readonly context: TenantContext) {
    this.madeIn = context.state;
  }
}

@Injectable({ scope: Scope.REQUEST, durable: true })
class DurableOfTenant {
  constructor(@Inject(TENANT_ID) readonly tenantId: string) {}
}

/** Stands for the verification of a token: `Authorization: <tenant>` becomes the user, `of` that of a message. */
const authenticate: CanActivate = {
  canActivate(execution: ExecutionContext) {
    if (execution.getType() === 'rpc') {
      const { of } = execution.switchToRpc().getData<{ of: string }>();
      execution.switchToRpc().getContext<{ user?: unknown }>().user = { org: of };
    } else {
      const call = execution.switchToHttp().getRequest<TenantRequest>();
      call.user = { org: call.headers['authorization'] };
    }
    return true;
  },
};

@Controller('durable')
@UseGuards(authenticate)
class DurableController {
  constructor(
    @Inject(Durable) readonly durable: Durable,
    @Inject(TenantContext) readonly context: TenantContext,
  ) {}
  @Get()
  @MessagePattern('durable')
  @UseInterceptors(TenantInterceptor)
  read() {
    return { serial: this.durable.serial, madeIn: this.durable.madeIn, tenant: this.context.require() };
  }
}

@Controller('of-tenant')
@UseGuards(authenticate)
class OfTenantController {
  constructor(@Inject(DurableOfTenant) readonly durable: DurableOfTenant) {}
  @Get()
  read() {
    return this.durable.tenantId;
  }
}

@Module({})
class Detour {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply((_: unknown, __: unknown, next: () => void) => shared.ask(next)).forRoutes('*path');
  }
}

describe.each(Object.keys(ADAPTERS) as AdapterName[])('durable providers of a pending tenant, on %s', (adapter) => {
  let server: TestServer;
  let app: INestApplication<App>;
  const loopback = new Loopback();
  const gateway = fromHeader('x-gateway');

  beforeAll(async () => {
    server = await startTestServer();
    app = await startHttpApp(
      {
        imports: [...notesModules(server.uri, { resolve: [gateway, fromClaim('org')], trust: gateway }), Detour],
        controllers: [DurableController, OfTenantController],
        providers: [Durable, DurableOfTenant],
      },
      adapter,
      (created) => void created.connectMicroservice({ strategy: loopback }),
    );
    await app.startAllMicroservices();
  });
  beforeEach(() => ContextIdFactory.apply(new TenantContextIdStrategy(app.get(TenantContext))));
  afterEach(() => {
    ContextIdFactory.apply(undefined as never);
    shared.close();
  });
  afterAll(async () => {
    await app?.close();
    await server?.stop();
  });

  const read = async (headers: Record<string, string>) =>
    (await request(app.getHttpServer()).get('/durable').set(headers)).body;

  it('are one for each request, and never another tenant’s, whoever’s context it comes in', async () => {
    const serials = new Set();
    for (const tenant of ['acme', 'globex', 'acme', 'globex']) {
      const { serial, ...answer } = await read({ authorization: tenant });
      expect(answer).toEqual({ tenant, madeIn: 'pending' });
      serials.add(serial);
    }
    expect(serials.size).toBe(4);
  });

  it('are the tenant’s where what is trusted has decided on arrival', async () => {
    const bySerial = new Map<string, Set<number>>();
    for (const tenant of ['acme', 'globex', 'acme', 'globex']) {
      const { serial, ...answer } = await read({ authorization: tenant, 'x-gateway': tenant });
      expect(answer).toEqual({ tenant, madeIn: tenant });
      bySerial.set(tenant, (bySerial.get(tenant) ?? new Set()).add(serial));
    }
    expect([...bySerial.values()].map((serials) => serials.size)).toEqual([1, 1]);
    const pending = await read({ authorization: 'acme' });
    expect([...bySerial.values()].some((serials) => serials.has(pending.serial))).toBe(false);
  });

  it('are refused, and kept for nobody, where they need the tenant', async () => {
    const of = (headers: Record<string, string>) => request(app.getHttpServer()).get('/of-tenant').set(headers);
    expect((await of({ authorization: 'acme' })).status).toBe(400);
    expect((await of({ authorization: 'acme', 'x-gateway': 'acme' })).text).toBe('acme');
    expect((await of({ authorization: 'globex', 'x-gateway': 'globex' })).text).toBe('globex');
    expect((await of({ authorization: 'acme' })).status).toBe(400);
  });

  it('are one for each message, also of one that comes in a tenant’s context', async () => {
    const context = app.get(TenantContext);
    const ask = (of: string) => context.run('initech', () => loopback.ask('durable', { of }));
    const answers = [await ask('acme'), await ask('globex'), await ask('acme')] as { serial: number; tenant: string }[];
    expect(answers.map(({ tenant }) => tenant)).toEqual(['acme', 'globex', 'acme']);
    expect(new Set(answers.map(({ serial }) => serial)).size).toBe(3);
  });
});
