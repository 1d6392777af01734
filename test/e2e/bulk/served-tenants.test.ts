import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { PolyMongoWrapper } from 'nestjs-polymongo';
import { TenantProcesses } from '../../support/tenant-processes.js';

let processes: TenantProcesses;
let here: PolyMongoWrapper;

beforeEach(async () => {
  processes = await TenantProcesses.start();
  here = processes.add({}, { driverOptions: { monitorCommands: true } });
  for (const tenantId of ['acme', 'globex']) await processes.write(here, tenantId);
  await here.pools.primary.client
    .db(processes.database('acme'))
    .collection('large')
    .insertMany(Array.from({ length: 100 }, (_, n) => ({ n, text: 'x'.repeat(10_000) })) as never[]);
});
afterEach(() => processes.stop());

describe('the database of a tenant that is being served', () => {
  it('takes an import', async () => {
    const file = await text(here.bulkTasks.exportStream(processes.database('acme')));
    await here.bulkTasks.importStream(processes.database('globex'), Readable.from([Buffer.from(file)]));
    expect(await processes.count(here, 'globex')).toBe(2);
  });

  it.each(['in the server', 'through the pools'])('takes a copy %s', async (way) => {
    const sent: string[] = [];
    here.pools.primary.client.on('commandStarted', ({ commandName }) => void sent.push(commandName));
    const [from, to] = [processes.database('acme'), processes.database('globex')];
    const { collections } = await here.bulkTasks.copyDatabase(from, to, {
      ...(way !== 'in the server' && { transform: (document: object) => document }),
    });
    expect(collections.map(({ name, documents }) => [name, documents])).toEqual([
      ['large', 100],
      ['notes', 1],
    ]);
    expect(await processes.count(here, 'globex')).toBe(2);
    expect(sent.includes('insert')).toBe(way !== 'in the server');
  });
});
