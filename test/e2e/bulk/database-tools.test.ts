import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BulkFixture, everyType, readAll } from './bulk.fixture.js';

const areThere = spawnSync('mongoimport', ['--version']).status === 0;
if (!areThere) console.warn('mongoimport is not on PATH: files are not exchanged with the real tools');

let fixture: BulkFixture;
beforeAll(async () => {
  fixture = await BulkFixture.start();
});
afterAll(() => fixture.stop());

(areThere ? describe : describe.skip)('the database tools of MongoDB', () => {
  const tool = (name: string, database: string, args: string[], input?: Uint8Array) => {
    const run = spawnSync(name, ['--uri', fixture.server.uri, '--db', database, '--collection', 'c', ...args], {
      input: input ?? '',
    });
    expect([name, run.status, run.status === 0 ? '' : run.stderr.toString()]).toEqual([name, 0, '']);
    return run.stdout;
  };

  test.each(['canonical', 'relaxed'])('read what we write and write what we read, %s', async (jsonFormat) => {
    const [source, theirs, ours] = [fixture.name(), fixture.name(), fixture.name()];
    await fixture.insert(source, 'c', [everyType(), { _id: 2, a: 'b' }]);
    tool('mongoimport', theirs, [], await readAll(fixture.bulk.exportCollection(source, 'c')));
    const exported = tool('mongoexport', theirs, ['--jsonFormat', jsonFormat]);
    await fixture.bulk.importCollection(ours, 'c', exported.toString());
    expect(await fixture.bytesOf(ours, 'c')).toEqual(await fixture.bytesOf(theirs, 'c'));
  });

  test('make the same CSV', async () => {
    const source = fixture.name();
    await fixture.insert(source, 'c', [
      { _id: 1, a: { b: 'x "y"\n' }, n: 1.5 },
      { _id: 2, a: { b: ' z' } },
    ]);
    const ours = await readAll(
      fixture.bulk.exportCollection(source, 'c', { format: 'csv', fields: ['_id', 'a.b', 'n'] }),
    );
    expect(ours.toString()).toBe(tool('mongoexport', source, ['--type', 'csv', '--fields', '_id,a.b,n']).toString());
  });
});
