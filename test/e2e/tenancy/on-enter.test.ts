import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  UseGuards,
  type CanActivate,
  type INestApplication,
} from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import {
  afterGuards,
  fromHeader,
  PolyMongoModule,
  PolyMongoTenants,
  TenantContext,
  TenantGuard,
  type EnteredTenant,
  type TenantOptions,
  type TenantRequest,
} from 'nestjs-polymongo';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { ADAPTERS, startHttpApp, type AdapterName } from '../../support/http-app.js';
import { Loopback } from '../../support/loopback.transport.js';

/** A context of somebody else's, as loggers and tracers have. */
const surroundings = new AsyncLocalStorage<string>();

@Injectable()
class NotingGuard implements CanActivate {
  seen: (string | undefined)[] = [];
  canActivate(): boolean {
    this.seen.push(surroundings.getStore());
    return true;
  }
}

@Controller()
class Where {
  constructor(@Inject(TenantContext) readonly context: TenantContext) {}

  @Get('where')
  async where() {
    await new Promise((resolve) => setImmediate(resolve));
    const inside = this.context.run('initech', () => surroundings.getStore());
    return [surroundings.getStore() ?? null, inside];
  }

  @Get('guarded')
  @UseGuards(NotingGuard, TenantGuard, NotingGuard)
  guarded() {
    return this.where();
  }

  @MessagePattern('guarded')
  @UseGuards(TenantGuard)
  message() {
    return this.where();
  }
}

describe.each(Object.keys(ADAPTERS) as AdapterName[])('tenant.onEnter on %s', (adapter) => {
  let app: INestApplication<App>;
  let entered: EnteredTenant[];
  let current: (string | undefined)[];
  const loopback = new Loopback();
  afterEach(() => app.close());

  const header = fromHeader('x-tenant-id');
  const late = afterGuards(({ headers, data }: TenantRequest) =>
    data === undefined ? (headers['x-tenant-id'] as string | undefined) : (data as { tenant?: string }).tenant,
  );
  const start = async (tenant: TenantOptions) => {
    entered = [];
    current = [];
    const onEnter: TenantOptions['onEnter'] = (scope) => {
      entered.push(scope);
      current.push(app.get(TenantContext).current());
      return (fn) => surroundings.run(scope.id, fn);
    };
    app = await startHttpApp(
      {
        imports: [PolyMongoModule.forRoot({ mongoURI: 'mongodb://127.0.0.1:1', tenant: { onEnter, ...tenant } })],
        controllers: [Where],
        providers: [NotingGuard],
      },
      adapter,
      (created) => created.connectMicroservice({ strategy: loopback }),
    );
    await app.startAllMicroservices();
  };
  const ask = async (path: string, tenantId?: string) => {
    const call = request(app.getHttpServer()).get(path);
    const { status, body } = await (tenantId ? call.set('x-tenant-id', tenantId) : call);
    return status === 200 ? body : status;
  };
  const seen = () => entered.map(({ id, kind, request: of }) => [id, kind, of?.headers !== undefined]);

  it.each([
    ['on arrival', header],
    ['after the guards', late],
  ])('is called once for a request that is decided %s, and once for each run, in it', async (_, resolve) => {
    await start({ resolve });
    expect(await ask('/where', 'acme')).toEqual(['acme', 'initech']);
    expect(seen()).toEqual([
      ['acme', 'http', true],
      ['initech', 'run', false],
    ]);
    expect(current).toEqual(['acme', 'initech']);
    expect(await ask('/where')).toEqual([null, 'initech']);
  });

  it('surrounds what comes after TenantGuard, guards too', async () => {
    await start({ resolve: late });
    expect(await ask('/guarded', 'acme')).toEqual(['acme', 'initech']);
    expect(app.get(NotingGuard).seen).toEqual([undefined, 'acme']);
    expect(seen()[0]).toEqual(['acme', 'http', true]);
  });

  it('is called for messages, and for the runs of tenants', async () => {
    await start({ resolve: late });
    expect(await loopback.ask('guarded', { tenant: 'globex' })).toEqual(['globex', 'initech']);
    expect(await app.get(PolyMongoTenants).run('acme', async () => surroundings.getStore())).toBe('acme');
    expect(seen()).toEqual([
      ['globex', 'rpc', true],
      ['initech', 'run', false],
      ['acme', 'run', false],
    ]);
  });

  it('fails the work with what it throws, and a promise is refused', async () => {
    await start({
      resolve: header,
      onEnter: ({ id }) => {
        if (id === 'acme') throw new Error('no logs');
        return Promise.reject(new Error('nobody waits')) as never;
      },
    });
    expect(await ask('/where', 'acme')).toBe(500);
    expect(await ask('/where', 'globex')).toBe(500);
    const context = app.get(TenantContext);
    expect(() => context.run('acme', () => {})).toThrow('no logs');
    expect(() => context.run('globex', () => {})).toThrow('tenant.onEnter must give nothing');
    expect(await ask('/where')).toBe(500);
  });
});
