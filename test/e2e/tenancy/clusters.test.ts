import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  PolyMongoOptionsError,
  TenantClusterUnknownError,
  TenantPlacedError,
  type PolyMongoOptions,
  type PolyMongoWrapper,
  type TenantOptions,
} from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { TenantProcesses } from '../../support/tenant-processes.js';

let processes: TenantProcesses;
let elsewhere: EmbeddedMongo;
beforeEach(async () => {
  processes = await TenantProcesses.start();
  elsewhere = await EmbeddedMongo.start();
});
afterEach(async () => {
  await processes.stop();
  await elsewhere.stop();
});

const clustered = (tenant: TenantOptions = {}): PolyMongoWrapper => {
  const clusters: PolyMongoOptions['clusters'] = {
    'eu-2': { mongoURI: elsewhere.uri, options: { maxConnections: 3 } },
  };
  return processes.add(tenant, { clusters });
};
/** Where the pool of a tenant's database goes. */
const uriOf = (polymongo: PolyMongoWrapper, tenantId: string) =>
  polymongo.pools.poolOf(processes.database(tenantId)).config.mongoURI;

describe('a tenant that the registry has on a named cluster', () => {
  it('is provisioned there, and found there by every process, whatever tenant.connection says', async () => {
    const here = clustered();
    expect(await here.tenants.provision('acme', { cluster: 'eu-2' })).toMatchObject({ isNew: true });
    await processes.write(here, 'acme');
    const other = clustered({ connection: () => ({ mongoURI: 'mongodb://127.0.0.1:1' }) });
    expect(await processes.count(other, 'acme')).toBe(1);
    expect(uriOf(other, 'acme')).toBe(elsewhere.uri);
    expect(await processes.databases()).not.toContain(processes.database('acme'));
  });

  it('is stored by the name alone', async () => {
    await clustered().tenants.provision('acme', { cluster: 'eu-2' });
    const record = await processes.registry('polymongo_tenants').findOne({ _id: 'acme' });
    expect(record).toMatchObject({ cluster: 'eu-2' });
    expect(JSON.stringify(record)).not.toContain('mongodb:');
  });

  it('is shown with its cluster by find() and stats(), and found by it', async () => {
    const { tenants } = clustered();
    await tenants.provision('acme', { cluster: 'eu-2' });
    await tenants.provision('globex');
    expect(await tenants.find({ cluster: 'eu-2' })).toMatchObject([{ tenantId: 'acme', cluster: 'eu-2' }]);
    expect(await tenants.find({ startsWith: 'globex' })).toMatchObject([{ cluster: undefined }]);
    const results = await tenants.stats({ tenants: ['acme', 'globex'] });
    const byId = new Map(results.map((result) => [result.tenantId, result.ok && result.value.cluster]));
    expect(byId.get('acme')).toBe('eu-2');
    expect(byId.get('globex')).toBe(processes.server.uri);
  });

  it.each([
    ['has other clusters', { exists: undefined }, { clusters: { 'us-1': { mongoURI: 'mongodb://127.0.0.1:1' } } }],
    ['has none, and asks whether the tenant exists', { exists: 'provisioned' }, {}],
  ] as const)('is refused with a 503 by a process that %s', async (_, { exists }, options) => {
    await clustered().tenants.provision('acme', { cluster: 'eu-2' });
    const ignorant = processes.add(exists ? { exists } : {}, options);
    const refused = processes.count(ignorant, 'acme');
    await expect(refused).rejects.toThrow(TenantClusterUnknownError);
    await expect(refused).rejects.toMatchObject({ cluster: 'eu-2', statusCode: 503 });
  });
});

describe('provision({ cluster })', () => {
  it('refuses a cluster that has no name here, before anything is written', async () => {
    const here = clustered();
    await expect(here.tenants.provision('acme', { cluster: 'eu-3' })).rejects.toThrow(TenantClusterUnknownError);
    expect(await here.tenants.find()).toEqual([]);
  });

  it('moves no tenant that is elsewhere already', async () => {
    const { tenants } = clustered();
    await tenants.provision('acme');
    await expect(tenants.provision('acme', { cluster: 'eu-2' })).rejects.toThrow(TenantPlacedError);
    expect(await tenants.provision('acme')).toMatchObject({ isNew: false });
  });
});

describe('the option clusters', () => {
  it.each([
    [{ 'eu 2': { mongoURI: 'mongodb://a' } }, /clusters has a name/],
    [{ eu: {} }, /clusters\.eu\.mongoURI/],
    [{ eu: 'mongodb://u:s3cret@a' }, /clusters\.eu must be an object/],
    [{ eu: { mongoURI: 'mongodb://a', options: { maxConnection: 1 } } }, /clusters\.eu\.options\.maxConnection/],
  ])('is checked: %j', (clusters, message) => {
    const make = () => processes.add({}, { clusters: clusters as never });
    expect(make).toThrow(PolyMongoOptionsError);
    expect(make).toThrow(message);
    expect(make).not.toThrow(/s3cret/);
  });
});
