import { beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import {
  type PolyMongoWrapper,
  PoolClosedInQueueError,
  PoolQueueTimeoutError,
  OtherDatabaseError,
  TenantOverloadedError,
  TenantSuspendedError,
  type PolyModel,
  type PolyMongoOptions,
  type TenantModel,
} from 'nestjs-polymongo';
import { TestClock } from 'nestjs-polymongo/testing';
import { numbered, wrapItems, type Item } from '../../support/items.js';
import { usePools } from '../../support/pools-fixture.js';
import { eventually, ONE_MONITOR } from '../../support/server-probe.js';
import { settle } from '../../support/settling.js';

const fixture = usePools();
let polymongo: PolyMongoWrapper;
let items: TenantModel<Item>;
/** Of each command on a tenant's documents, as it was sent, the tenant. */
let sent: string[];

beforeEach(() => blockFinds(0));

let wrapped: PolyModel<Item>;

function create(options: Partial<PolyMongoOptions>): void {
  polymongo = fixture.create({
    driverOptions: { ...ONE_MONITOR, monitorCommands: true },
    autoIndex: false,
    ...options,
  });
  wrapped = wrapItems(polymongo);
  items = polymongo.tenantModel(wrapped) as TenantModel<Item>;
  sent = [];
  const { client } = polymongo.pools.primary;
  client.on('commandStarted', ({ databaseName, commandName }) => {
    if (['find', 'getMore', 'insert'].includes(commandName)) sent.push(databaseName.replace('tenant_', ''));
  });
}

/** Has each `find` take so long on the server; others are not held up. */
const blockFinds = (blockTimeMS: number) =>
  admin({
    configureFailPoint: 'failCommand',
    mode: blockTimeMS > 0 ? 'alwaysOn' : 'off',
    data: { failCommands: ['find'], blockConnection: true, blockTimeMS },
  });
async function admin(command: object): Promise<void> {
  const client = await mongoose.mongo.MongoClient.connect(fixture.server.uri);
  await client.db('admin').command(command);
  await client.close();
}

const as = <T>(tenant: string, fn: () => Promise<T>): Promise<T> => polymongo.tenantContext.run(tenant, fn);
const find = (tenant: string) => as(tenant, () => items.find().lean().exec());
const times = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));
const stats = (tenant: string) => polymongo.stats.tenants().find(({ tenantId }) => tenantId === tenant);
const socketsInUse = () => polymongo.stats.general().primary.poolStats.inUseConnections;

describe('on ten sockets, with 1,000 queries of 200 ms of one tenant', () => {
  it('each of 100 quiet tenants waits for those before it in turn, and for no second query of the noisy one', async () => {
    create({});
    await find('noisy');
    await blockFinds(200);
    sent = [];
    const noisy = settle(
      times(1_000, () => find('noisy')),
      30_000,
    );
    await eventually(() => expect(socketsInUse()).toBe(10));
    const ahead = sent.length;
    const quiet = times(100, (n) => find(`quiet${n}`));
    await settle(quiet, 30_000);
    expect(new Set(sent.slice(0, ahead))).toEqual(new Set(['noisy']));
    expect(sent.slice(ahead, ahead + 101).filter((tenant) => tenant === 'noisy')).toHaveLength(1);
    for (let n = 0; n < 100; n++) expect(sent.indexOf(`quiet${n}`) - ahead).toBeLessThanOrEqual(n + 1);
    await polymongo.actions.forceCloseAll();
    await noisy;
  }, 60_000);
});

describe('a pool without a free socket', () => {
  it('serves databases in turn that are no tenants, too', async () => {
    create({ maxPoolSize: 1 });
    const on = (db: string) => wrapped.db(db).find().lean().exec();
    await on('warm');
    await blockFinds(20);
    sent = [];
    await settle([...times(20, () => on('busy')), on('calm'), on('other')]);
    expect(sent.indexOf('calm')).toBeLessThanOrEqual(2);
    expect(sent.indexOf('other')).toBeLessThanOrEqual(3);
  });

  it('serves in a row as many calls of a tenant as its weight says', async () => {
    create({ maxPoolSize: 1, tenant: { weight: (tenantId) => (tenantId === 'gold' ? 3 : 1) } });
    await find('first');
    await blockFinds(20);
    sent = [];
    await settle([find('first'), ...times(6, () => find('plain')), ...times(6, () => find('gold'))]);
    expect(sent.slice(0, 9)).toEqual(['first', 'plain', 'gold', 'gold', 'gold', 'plain', 'gold', 'gold', 'gold']);
  });

  it('lets fan-outs and bulk tasks wait behind requests', async () => {
    create({ maxPoolSize: 1 });
    await as('many', () => items.create(numbered(1)));
    await find('first');
    await blockFinds(20);
    sent = [];
    const first = find('first');
    const work: Promise<unknown>[] = [
      polymongo.tenants.forEach(() => items.find().lean().exec(), { tenants: ['many', 'more'] }),
      polymongo.bulkTasks.export('tenant_many'),
    ];
    await eventually(() => expect(stats('more')?.waiting).toBe(1));
    const requests = times(5, (n) => find(`request${n}`));
    await settle([first, ...work, ...requests]);
    expect(sent.slice(0, 6)).toEqual(['first', ...times(5, (n) => `request${n}`)]);
  });

  it('tells calls that waited for waitQueueTimeoutMS what to do, and counts them', async () => {
    create({ maxPoolSize: 1, waitQueueTimeoutMS: 50 });
    await find('noisy');
    await blockFinds(300);
    const [served, late] = await settle([find('noisy'), find('quiet')]);
    expect(served!.status).toBe('fulfilled');
    expect(late).toMatchObject({ reason: expect.any(PoolQueueTimeoutError) });
    expect((late as PromiseRejectedResult).reason).toMatchObject({ poolName: 'default', waitedMS: 50, maxSockets: 1 });
    expect(stats('quiet')).toMatchObject({ inFlight: 0, waiting: 0, refused: 1 });
    expect(stats('quiet')!.waitedMS).toBeGreaterThanOrEqual(50);
  });

  it('serves who waits when the sockets die or the server is away for a while', async () => {
    create({ maxPoolSize: 2 });
    await find('noisy');
    await blockFinds(100);
    const calls = settle(times(30, (n) => find(`tenant${n % 5}`)));
    await eventually(() => expect(socketsInUse()).toBe(2));
    fixture.server.dropConnections();
    await calls;
    await find('after');
    expect(polymongo.stats.tenants().every(({ inFlight, waiting }) => inFlight + waiting === 0)).toBe(true);
  });

  it('refuses who waits when it is closed by force; nothing of it was sent', async () => {
    create({ maxPoolSize: 1 });
    await find('noisy');
    await blockFinds(400);
    sent = [];
    const calls = settle(times(5, () => find('noisy')));
    await eventually(() => expect(socketsInUse()).toBe(1));
    await polymongo.actions.forceCloseAll();
    const reasons = (await calls).map((result) => (result as PromiseRejectedResult).reason as Error);
    expect(reasons.slice(1)).toEqual(times(4, () => expect.any(PoolClosedInQueueError)));
    expect(sent).toHaveLength(1);
  });

  it('serves who waits before it closes in order', async () => {
    create({ maxPoolSize: 1 });
    await find('noisy');
    await blockFinds(100);
    const calls = settle(times(8, (n) => find(`tenant${n}`)));
    await eventually(() => expect(stats('tenant7')?.waiting).toBe(1));
    await polymongo.actions.closeAll();
    expect((await calls).every(({ status }) => status === 'fulfilled')).toBe(true);
  });
});

describe('tenant.maxInFlight', () => {
  it('leaves the other sockets to others, though nobody waits for them', async () => {
    create({ maxPoolSize: 5, tenant: { maxInFlight: 2 } });
    await find('noisy');
    await blockFinds(400);
    sent = [];
    const noisy = settle(times(10, () => find('noisy')));
    await eventually(() => expect(sent).toHaveLength(2));
    expect(stats('noisy')).toMatchObject({ inFlight: 2, waiting: 8 });
    await Promise.all([find('quiet'), find('quiet')]);
    expect(sent.lastIndexOf('quiet')).toBeLessThanOrEqual(5);
    await noisy;
    expect(stats('noisy')).toMatchObject({ inFlight: 0, waiting: 0, refused: 0 });
  });

  it('holds in a pool of the tenant alone', async () => {
    create({ tenant: { maxInFlight: 2, connection: () => ({ options: { maxConnections: 5 } }) } });
    await find('own');
    await blockFinds(400);
    const calls = settle(times(6, () => find('own')));
    await eventually(() => expect(stats('own')).toMatchObject({ inFlight: 2, waiting: 4 }));
    expect(polymongo.pools.poolOf('tenant_own').stats.inUseConnections).toBeLessThanOrEqual(2);
    await calls;
  });

  it.each([{ maxPoolSize: 1 }, { maxPoolSize: 5, tenant: { maxInFlight: 1 } }])(
    'lets work inside of other work go on: in transactions, cursors and hooks (%j)',
    async (options) => {
      create(options);
      const schema = new mongoose.Schema<Item>({ n: Number });
      schema.pre('find', async () => void (await items.countDocuments({ nested: true })));
      const hooked = polymongo.tenantModel(polymongo.wrapModel(wrapped.base.model<Item>('Hooked', schema, 'items')));
      const work = async (): Promise<number> => {
        for await (const { _id } of items.find().batchSize(2).cursor())
          await items.updateOne({ _id }, { $inc: { n: 1 } });
        await polymongo.transaction(async () => {
          await items.create({ n: 100 });
          await items.find().session(null);
          for await (const { _id } of items.find().batchSize(2).cursor())
            await items.updateOne({ _id }, { $inc: { n: 1 } });
        });
        return (await hooked.find()).length;
      };
      await as('a', () => items.insertMany(numbered(5)));
      const results = await settle(
        times(4, () => as('a', work)),
        30_000,
      );
      expect(results.map(({ status }) => status)).toEqual(times(4, () => 'fulfilled'));
      await as('a', () => items.deleteMany());
    },
    60_000,
  );
});

describe('tenant.maxWaiting', () => {
  it('refuses further calls with a typed error, and none that goes on with a cursor', async () => {
    create({ maxPoolSize: 1, tenant: { maxWaiting: 2 } });
    await as('a', () => items.insertMany(numbered(5)));
    const cursor = await as('a', async () => {
      const open = items.find().batchSize(2).lean().cursor();
      await open.next();
      await open.next();
      return open;
    });
    await blockFinds(400);
    const calls = settle(times(4, () => find('a')));
    await eventually(() => expect(stats('a')).toMatchObject({ waiting: 2, refused: 1 }));
    const rest = as('a', () => cursor.next());
    const results = await calls;
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
    const { reason } = results[3] as PromiseRejectedResult;
    expect(reason).toBeInstanceOf(TenantOverloadedError);
    expect(reason).toMatchObject({ statusCode: 503, waiting: 2, retryAfterMS: 1_000 });
    expect(await rest).toMatchObject({ n: 2 });
    await cursor.close();
    expect(stats('a')).toMatchObject({ refused: 1, waiting: 0 });
    await as('a', () => items.deleteMany());
  });
});

describe('a limit that is a function', () => {
  it.each([
    [
      'throws',
      (): number => {
        throw new Error('no plan');
      },
      'no plan',
    ],
    ['gives no number', () => NaN, 'tenant.maxInFlight() must give'],
  ])('and %s lets the tenant do nothing until it gives one', async (_, failing, message) => {
    let give: () => number = failing;
    create({ tenant: { maxInFlight: () => give(), suspension: {}, exists: () => true } });
    for (let again = 0; again < 3; again++) {
      await expect(find('a')).rejects.toThrow(message);
      await expect(wrapped.db('tenant_a').create({ n: 1 })).rejects.toThrow(message);
      expect(() => wrapped.db('tenant_a').db.db).toThrow(message);
    }
    give = () => 1;
    expect(await find('a')).toEqual([]);
    expect(polymongo.pools.database('tenant_a').share.terms.maxInFlight).toBe(1);
    await expect(as('a', () => items.aggregate([{ $out: { db: 'tenant_b', coll: 'items' } }]).exec())).rejects.toThrow(
      OtherDatabaseError,
    );
    await polymongo.tenants.suspend('a');
    await expect(wrapped.db('tenant_a').create({ n: 1 })).rejects.toThrow(TenantSuspendedError);
    await polymongo.tenants.resume('a');
  });
});

describe('a tenant that was held up', () => {
  it('is told of for a minute', async () => {
    const clock = TestClock.install();
    try {
      create({ maxPoolSize: 1 });
      await find('a');
      expect(stats('a')).toBeUndefined();
      await blockFinds(100);
      const calls = settle(times(2, () => find('a')));
      await eventually(() => expect(stats('a')).toMatchObject({ waiting: 1 }));
      await calls;
      expect(stats('a')).toMatchObject({ inFlight: 0, waiting: 0 });
      await clock.advance(50_000);
      expect(stats('a')).toBeDefined();
      await clock.advance(10_000);
      expect(stats('a')).toBeUndefined();
    } finally {
      clock.uninstall();
    }
  });
});

describe('a call that waits for its turn', () => {
  it('waits no more once its signal is aborted', async () => {
    create({ maxPoolSize: 1 });
    await find('a');
    await blockFinds(400);
    const first = find('a');
    await eventually(() => expect(socketsInUse()).toBe(1));
    const stop = new AbortController();
    const aborted = as('a', () => items.collection.find({}, { signal: stop.signal }).toArray());
    await eventually(() => expect(stats('a')).toMatchObject({ waiting: 1 }));
    const reason = new Error('nobody reads it');
    stop.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    expect(stats('a')).toMatchObject({ inFlight: 1, waiting: 0, refused: 0 });
    await first;
  });
});

describe('tenant.maxTimeMS', () => {
  it('is that of reads and writes that name none', async () => {
    create({ tenant: { maxTimeMS: (tenantId) => (tenantId === 'slow' ? 60_000 : 1_234) } });
    const limits: unknown[] = [];
    polymongo.pools.primary.client.on('commandStarted', ({ command, commandName }) => {
      if (!['create', 'endSessions'].includes(commandName))
        limits.push([commandName, (command as { maxTimeMS?: number }).maxTimeMS]);
    });
    await as('a', async () => {
      await items.create({ n: 1 });
      await items.find().maxTimeMS(77);
      await items.findOne();
      await items.updateOne({}, { n: 2 });
      await items.aggregate([{ $match: {} }]);
      await items.bulkWrite([{ deleteMany: { filter: {} } }]);
    });
    await as('slow', () => items.countDocuments());
    expect(limits).toEqual([
      ['insert', 1_234],
      ['find', 77],
      ['find', 1_234],
      ['update', 1_234],
      ['aggregate', 1_234],
      ['delete', 1_234],
      ['aggregate', 60_000],
    ]);
  });

  it('ends what takes longer on the server', async () => {
    create({ tenant: { maxTimeMS: 30 } });
    await as('a', () => items.create({ n: 1 }));
    await expect(as('a', () => items.find({ $where: 'sleep(500) || true' }).exec())).rejects.toMatchObject({
      code: 50,
    });
  });
});
