import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Scope, type INestApplicationContext } from '@nestjs/common';
import { WorkerHost } from '@nestjs/bullmq';
import { Test } from '@nestjs/testing';
import { UnrecoverableError, type FlowJob, type Job } from 'bullmq';
import {
  InjectTenantModel,
  InvalidTenantIdError,
  PolyMongoTransactions,
  TENANT_ID,
  TenantConflictError,
  TenantContext,
  TenantJobError,
  TenantJobs,
  TenantLookupError,
  TenantMessages,
  TenantMissingError,
  TenantUnknownError,
  WithJobTenant,
  type TenantModel,
} from 'nestjs-polymongo';
import { Note, notesModules } from '../../support/notes.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

const PATH = 'meta.tenant';
let gone: string[];
let isDirectoryDown: boolean;

@Injectable()
class Mail extends WorkerHost {
  constructor(
    @Inject(TenantContext) readonly context: TenantContext,
    @InjectTenantModel(Note.name) readonly notes: TenantModel<Note>,
  ) {
    super();
  }
  @WithJobTenant(PATH)
  async process({ data }: Job<{ fails?: Error }>) {
    await new Promise((resolve) => setImmediate(resolve));
    if (data.fails) throw data.fails;
    await this.notes.create({ tenant: this.context.require() });
    return this.context.require();
  }
}

@Injectable({ scope: Scope.REQUEST })
class PerJob {
  constructor(@Inject(TENANT_ID) readonly tenantId: string) {}
}

const job = (data: unknown) => ({ id: '7', queueName: 'mail', data }) as unknown as Job<{ fails?: Error }>;
const jobOf = (tenant: unknown) => job({ meta: { tenant } });

describe('the tenant of a job', () => {
  let app: INestApplicationContext;
  let context: TenantContext;
  let messages: TenantMessages;
  let mail: Mail;
  let server: TestServer;

  beforeAll(async () => {
    server = await startTestServer();
    const module = await Test.createTestingModule({
      imports: [
        ...notesModules(server.uri, {
          exists: (tenantId) => (isDirectoryDown ? ('?' as never) : !gone.includes(tenantId)),
        }),
      ],
      providers: [Mail, PerJob],
    }).compile();
    app = await module.init();
    context = app.get(TenantContext);
    messages = app.get(TenantMessages);
    mail = app.get(Mail);
  });
  beforeEach(() => {
    gone = [];
    isDirectoryDown = false;
  });
  afterAll(async () => {
    await app?.close();
    await server?.stop();
  });

  const refusalOf = async (refused: Job<{ fails?: Error }>) => {
    const error = await mail.process(refused).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(TenantJobError);
    return error as TenantJobError;
  };

  it('is put into its data and read from there, at each attempt, by process() of a WorkerHost', async () => {
    for (const tenant of ['acme', 'globex', 'acme']) {
      const data = context.run(tenant, () => messages.inPayload({ to: 'ada' }, PATH));
      expect(await mail.process(job(JSON.parse(JSON.stringify(data))))).toBe(tenant);
    }
    expect(await Promise.all(['acme', 'globex'].map((tenant) => mail.process(jobOf(tenant))))).toEqual([
      'acme',
      'globex',
    ]);
  });

  it('is put into the data of every job of a flow', () => {
    const flow: FlowJob = {
      name: 'report',
      queueName: 'reports',
      children: [
        { name: 'page', queueName: 'pages', data: { page: 1 } },
        { name: 'pages', queueName: 'pages', children: [{ name: 'page', queueName: 'pages', data: { page: 2 } }] },
      ],
    };
    const meta = { tenant: 'acme' };
    expect(context.run('acme', () => messages.inFlow(flow, PATH))).toEqual({
      name: 'report',
      queueName: 'reports',
      data: { meta },
      children: [
        { name: 'page', queueName: 'pages', data: { page: 1, meta } },
        {
          name: 'pages',
          queueName: 'pages',
          data: { meta },
          children: [{ name: 'page', queueName: 'pages', data: { page: 2, meta } }],
        },
      ],
    });
    expect(() => messages.inFlow(flow, PATH)).toThrow(TenantMissingError);
    const foreign = { ...flow, children: [{ name: 'page', queueName: 'pages', data: { meta: { tenant: 'globex' } } }] };
    expect(() => context.run('acme', () => messages.inFlow(foreign, PATH))).toThrow(TenantConflictError);
  });

  it('is not that of whose context its worker goes on in, and no transaction of theirs either', async () => {
    const before = await context.run('acme', () => mail.notes.countDocuments());
    const rollsBack = (tenant: string) =>
      context.run(tenant, () =>
        app.get(PolyMongoTransactions).run(
          async () => {
            expect(await mail.process(jobOf('acme'))).toBe('acme');
            throw new Error('rolled back');
          },
          { db: mail.notes.db.name },
        ),
      );
    for (const tenant of ['initech', 'acme']) await expect(rollsBack(tenant)).rejects.toThrow('rolled back');
    expect(await context.run('acme', () => mail.notes.countDocuments())).toBe(before + 2);
    const seen = context.run('initech', () => refusalOf(job({})));
    expect((await seen).cause).toBeInstanceOf(TenantMissingError);
  });

  it.each([
    ['it names none', () => job({ to: 'ada' }), TenantMissingError],
    ['it has no data', () => job(undefined), TenantMissingError],
    ['it names a malformed one', () => jobOf('no tenant'), InvalidTenantIdError],
    ['it names what is no text', () => jobOf({ $ne: 'acme' }), InvalidTenantIdError],
    ['the tenant has been removed', () => ((gone = ['hooli']), jobOf('hooli')), TenantUnknownError],
  ])('is refused for good, before the job is run, when %s', async (_, refused, cause) => {
    const error = await refusalOf(refused());
    expect(error.cause).toBeInstanceOf(cause);
    expect(error).toMatchObject({ jobId: '7', queue: 'mail', name: new UnrecoverableError().name });
  });

  it('is asked about again, by the next attempt, when nobody knows whether it exists', async () => {
    isDirectoryDown = true;
    await expect(mail.process(jobOf('umbrella'))).rejects.toThrow(TenantLookupError);
    isDirectoryDown = false;
    expect(await mail.process(jobOf('umbrella'))).toBe('umbrella');
  });

  it("leaves the job's own errors as they are, also those about other tenants", async () => {
    const fails = new TenantUnknownError();
    await expect(mail.process(job({ meta: { tenant: 'acme' }, fails }))).rejects.toBe(fails);
  });

  it('is there for workers of BullMQ without Nest', async () => {
    const jobs = app.get(TenantJobs);
    expect(await jobs.run(jobOf('acme'), PATH, () => context.current())).toBe('acme');
  });

  it('is not there yet where Nest makes a REQUEST-scoped processor', async () => {
    await expect(app.resolve(PerJob)).rejects.toThrow(TenantMissingError);
  });

  it('has a path that is no path refused where the class is made', () => {
    expect(() => WithJobTenant('meta.')).toThrow('is no path');
  });
});
