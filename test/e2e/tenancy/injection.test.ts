import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Injectable, Scope, type INestApplication } from '@nestjs/common';
import { ContextIdFactory } from '@nestjs/core';
import {
  fromHeader,
  getTenantModelToken,
  InjectTenantModel,
  TENANT_ID,
  TenantContext,
  TenantContextIdStrategy,
  type TenantModel,
} from 'nestjs-polymongo';
import type { Model } from 'mongoose';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { ADAPTERS, startHttpApp, type AdapterName } from '../../support/http-app.js';
import { Note, notesModules } from '../../support/notes.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

let made = 0;

@Injectable({ scope: Scope.REQUEST })
class RequestNotes {
  readonly serial = ++made;
  constructor(
    @InjectTenantModel(Note.name, { scope: Scope.REQUEST }) readonly model: Model<Note>,
    @Inject(TENANT_ID) readonly tenantId: string,
  ) {}
}

@Injectable({ scope: Scope.REQUEST, durable: true })
class DurableNotes {
  readonly serial = ++made;
  constructor(
    @InjectTenantModel(Note.name, { scope: Scope.REQUEST }) readonly model: Model<Note>,
    @Inject(TENANT_ID) readonly tenantId: string,
  ) {}
}

@Controller('request')
class RequestController {
  constructor(@Inject(RequestNotes) readonly notes: RequestNotes) {}
  @Get()
  async read() {
    const { serial, tenantId, model } = this.notes;
    await model.create({ tenant: tenantId });
    return { serial, tenantId, tenants: await model.distinct('tenant') };
  }
}

@Controller('durable')
class DurableController {
  constructor(@Inject(DurableNotes) readonly notes: DurableNotes) {}
  @Get()
  async read() {
    const { serial, tenantId, model } = this.notes;
    await model.create({ tenant: tenantId });
    return { serial, tenantId, tenants: await model.distinct('tenant') };
  }
}

@Controller('plain')
class PlainController {
  @Get()
  read() {
    return 'ok';
  }
}

describe.each(Object.keys(ADAPTERS) as AdapterName[])('ways to inject, on %s', (adapter) => {
  let server: TestServer;
  let app: INestApplication<App>;

  beforeAll(async () => {
    server = await startTestServer();
    app = await startHttpApp(
      {
        imports: notesModules(server.uri, { resolve: fromHeader('x-tenant-id') }),
        controllers: [RequestController, DurableController, PlainController],
        providers: [RequestNotes, DurableNotes],
      },
      adapter,
    );
  });
  afterEach(() => ContextIdFactory.apply(undefined as never));
  afterAll(async () => {
    await app?.close();
    await server?.stop();
  });
  const read = async (path: string, tenant?: string) => {
    const call = request(app.getHttpServer()).get(path);
    const { status, body } = await (tenant ? call.set('x-tenant-id', tenant) : call);
    return { status, ...body };
  };

  it('per request: a model and a tenant id made for each', async () => {
    const one = await read('/request', 'acme');
    const two = await read('/request', 'acme');
    const other = await read('/request', 'globex');
    expect(one).toMatchObject({ tenantId: 'acme', tenants: ['acme'] });
    expect(other).toMatchObject({ tenantId: 'globex', tenants: ['globex'] });
    expect(two.serial).not.toBe(one.serial);
    expect((await read('/request')).status).toBe(400);
    expect((await read('/plain')).status).toBe(200);
  });

  it('durable: made once for each tenant, when the strategy is applied', async () => {
    ContextIdFactory.apply(new TenantContextIdStrategy(app.get(TenantContext)));
    const one = await read('/durable', 'acme');
    const two = await read('/durable', 'acme');
    const other = await read('/durable', 'globex');
    expect(one).toMatchObject({ tenantId: 'acme', tenants: ['acme'] });
    expect(other).toMatchObject({ tenantId: 'globex', tenants: ['globex'] });
    expect(two.serial).toBe(one.serial);
    expect(other.serial).not.toBe(one.serial);
    expect((await read('/durable')).status).toBe(400);
    expect((await read('/request', 'acme')).serial).not.toBe((await read('/request', 'acme')).serial);
  });

  it('durable: keeps the providers of the last tenants only', async () => {
    ContextIdFactory.apply(new TenantContextIdStrategy(app.get(TenantContext), { maxTenants: 1 }));
    const { serial } = await read('/durable', 'acme');
    await read('/durable', 'globex');
    expect((await read('/durable', 'acme')).serial).not.toBe(serial);
  });

  it('models and documents keep the tenant they were got from', async () => {
    const context = app.get(TenantContext);
    const notes = app.get<TenantModel<Note>>(getTenantModelToken(Note.name), { strict: false });
    const [model, query, document] = await context.run('keeper', async () => {
      const document = await notes.create({ tenant: 'keeper' });
      return [document.constructor as Model<Note>, () => notes.find(), document] as const;
    });
    await context.run('stranger', async () => {
      document.text = 'changed elsewhere';
      await document.save();
      expect(await model.countDocuments()).toBe(1);
      expect(await notes.countDocuments()).toBe(0);
      expect(await query()).toEqual([]);
    });
    const pending = context.run('keeper', () => notes.findOne({ text: 'changed elsewhere' }));
    expect(await context.run('stranger', () => pending.exec())).toMatchObject({ tenant: 'keeper' });
  });
});
