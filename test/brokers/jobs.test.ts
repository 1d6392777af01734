import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BullModule, getFlowProducerToken, getQueueToken, OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { Inject, type INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Worker, type FlowProducer, type Job, type Queue } from 'bullmq';
import {
  TenantContext,
  TenantJobError,
  TenantMessages,
  TenantMissingError,
  TenantUnknownError,
  WithJobTenant,
} from 'nestjs-polymongo';
import { Broker, hasBroker } from '../support/broker.js';
import { Deliveries, parcels, SENDERS, shuffled, type Parcel } from '../support/deliveries.js';
import { notesModules } from '../support/notes.js';
import { startTestServer, type TestServer } from '../support/test-server.js';

const PATH = 'meta.tenant';

interface Errand {
  parcel: Parcel;
  /** How many attempts of it fail. */
  failures?: number;
}

@Processor('errands', { concurrency: 10, stalledInterval: 200 })
class Errands extends WorkerHost {
  readonly failed: [Job, Error][] = [];
  constructor(@Inject(Deliveries) readonly deliveries: Deliveries) {
    super();
  }

  @WithJobTenant(PATH)
  async process(job: Job<Errand>) {
    const { parcel, failures = 0 } = job.data;
    const tenant = await this.deliveries.take(parcel);
    this.deliveries.tally(parcel);
    if (job.attemptsMade < failures) throw new Error('as it should');
    return tenant;
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job, error: Error) {
    this.failed.push([job, error]);
  }
}

(hasBroker('redis-server') ? describe : describe.skip)('tenants of jobs by redis-server', () => {
  let server: TestServer;
  let broker: Broker;
  let app: INestApplicationContext;
  let errands: Errands;
  let deliveries: Deliveries;
  let queue: Queue;
  let notes = 0;

  beforeAll(async () => {
    server = await startTestServer();
    broker = await Broker.start('redis-server');
    const { host, port } = broker;
    const module = await Test.createTestingModule({
      imports: [
        ...notesModules(server.uri, { exists: (tenantId) => tenantId !== 'gone' }),
        BullModule.forRoot({ connection: { host, port } }),
        BullModule.registerQueue({ name: 'errands' }),
        BullModule.registerFlowProducer({ name: 'flows' }),
      ],
      providers: [Deliveries, Errands],
    }).compile();
    app = await module.init();
    errands = app.get(Errands);
    deliveries = app.get(Deliveries);
    queue = app.get<Queue>(getQueueToken('errands'));
  });
  afterAll(async () => {
    await app?.close();
    await broker?.stop();
    await server?.stop();
  });

  const as = <T>(tenant: string, fn: (messages: TenantMessages) => T): T =>
    app.get(TenantContext).run(tenant, () => fn(app.get(TenantMessages)));
  const carried = (errand: Errand) => as(errand.parcel.of, (messages) => messages.inPayload(errand, PATH));

  /** So many further deliveries, each to whom it was for. */
  async function expectDeliveries(count: number): Promise<void> {
    notes += count;
    await deliveries.until(notes);
    expect(deliveries.crossings).toEqual([]);
    expect(await deliveries.count()).toEqual({ notes, crossed: 0 });
  }

  it('are kept through their retries', async () => {
    for (const parcel of shuffled(parcels(30))) {
      await queue.add('errand', carried({ parcel, failures: 2 }), { attempts: 3 });
    }
    await expectDeliveries(90);
  });

  it('are kept by each job of a scheduler', async () => {
    const last = new Promise<void>((done) => {
      const counts = new Map(SENDERS.map((tenant) => [tenant, 0]));
      errands.worker.on('completed', ({ data }: Job<Errand>) => {
        counts.set(data.parcel.of, counts.get(data.parcel.of)! + 1);
        if ([...counts.values()].every((count) => count >= 3)) done();
      });
    });
    for (const parcel of parcels(SENDERS.length)) {
      await queue.upsertJobScheduler(
        `${parcel.of}.tick`,
        { every: 20, limit: 3 },
        { name: 'tick', data: carried({ parcel }) },
      );
    }
    await last;
    await expectDeliveries(3 * SENDERS.length);
  });

  it('are kept by each job of a flow', async () => {
    const flows = app.get<FlowProducer>(getFlowProducerToken('flows'));
    for (const parcel of parcels(10)) {
      const node = { name: 'errand', queueName: 'errands', data: { parcel } };
      const flow = { ...node, children: [node, { ...node, children: [node] }] };
      await flows.add(as(parcel.of, (messages) => messages.inFlow(flow, PATH)));
    }
    await expectDeliveries(40);
  });

  it('are kept where a worker is lost and another one takes over, whoever has resumed that', async () => {
    await errands.worker.pause();
    const { host, port } = broker;
    let lost!: Worker;
    await new Promise<void>((active) => {
      const stuck = () => new Promise<void>(() => active());
      lost = new Worker('errands', stuck, { connection: { host, port }, lockDuration: 100, stalledInterval: 100 });
      void queue.add('errand', carried({ parcel: { of: 'acme', n: 0 } }));
    });
    await lost.close(true);
    as('hooli', () => void errands.worker.resume());
    await queue.add('errand', carried({ parcel: { of: 'globex', n: 1 } }));
    await expectDeliveries(2);
  });

  it.each([
    ['there is none', { parcel: { of: 'acme', n: 0 } }, TenantMissingError],
    ['the tenant has been removed', { parcel: { of: 'gone', n: 0 }, meta: { tenant: 'gone' } }, TenantUnknownError],
  ])('are refused for good, in one attempt, when %s', async (_, data, cause) => {
    const { id } = await queue.add('errand', data, { attempts: 5 });
    const [, error] = await new Promise<[Job, Error]>((found) => {
      const find = () => errands.failed.find(([job]) => job.id === id);
      const known = find();
      if (known) return found(known);
      errands.worker.on('failed', () => {
        const now = find();
        if (now) found(now);
      });
    });
    expect(error).toBeInstanceOf(TenantJobError);
    expect(error.cause).toBeInstanceOf(cause);
    const job = (await queue.getJob(id!)) as Job;
    expect([await job.getState(), job.attemptsMade, job.failedReason]).toEqual(['failed', 1, error.message]);
    await expectDeliveries(0);
  });
});
