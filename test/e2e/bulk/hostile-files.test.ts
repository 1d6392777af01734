import { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { waitFor } from '../../support/wait-for.js';
import { BulkFixture, streamOf } from './bulk.fixture.js';
import { watched } from './watched.js';

const MB = 1024 * 1024;
let fixture: BulkFixture;
beforeAll(async () => {
  fixture = await BulkFixture.start();
});
afterAll(() => fixture.stop());

describe('a small file that unpacks to 250 MB', () => {
  test.each([
    ['digits', '', '1', 'a number of more than 4096 characters', 16],
    ['a decimal', '{"$numberDecimal":"', '1', 'a value of more than 256 characters', 16],
    ['a string', '"', 'x', 'more than 16777216 bytes of BSON', 160],
    ['escapes in a string', '"', '\\u0001', 'more than 16777216 bytes of BSON', 300],
    ['base64', '{"$binary":{"base64":"', 'AAAA', 'a value of more than 22369624 characters', 160],
    ['white space', '', ' ', 'a value has more than 134217728 bytes of text', 300],
  ])('is refused with bounded memory: %s', async (_, begin, fill, reason, bound) => {
    const head = gzipSync(`{"collections":{"c":{"documents":[{"a":${begin}`);
    const megabyte = gzipSync(fill.repeat(MB / fill.length), { level: 9 });
    const file = Buffer.concat([head, ...Array<Buffer>(250).fill(megabyte)]);
    expect(file.length).toBeLessThan(MB);
    let importing: Promise<unknown> | undefined;
    const { bytes } = await watched(
      () => (importing = fixture.bulk.importStream(fixture.name(), streamOf(file), { dryRun: true })),
    );
    await expect(importing).rejects.toThrow(reason);
    expect(bytes / MB).toBeLessThan(bound);
  });
});

test('a dry run of what is in memory gives others their turn, and ends at a signal', async () => {
  const file = Buffer.from(`{"collections":{"c":{"documents":[${'{"_id":1,"text":"some text"},'.repeat(1e6)}{}]}}}`);
  const { turns } = await watched(() => fixture.bulk.import(fixture.name(), file, { dryRun: true }));
  expect(turns).toBeGreaterThan(3);
  const abort = new AbortController();
  setImmediate(() => abort.abort(new Error('enough')));
  const importing = fixture.bulk.import(fixture.name(), file, { dryRun: true, signal: abort.signal });
  await expect(importing).rejects.toMatchObject({ cause: { message: 'enough' } });
});

describe('an import with rejects', () => {
  const bad = Buffer.from(`{"collections":{"c":{"documents":[\n${'{"_id":},\n'.repeat(5)}{"_id":1}\n]}}}`);

  test('fails with the error of a stream that cannot be written, and nothing goes unhandled', async () => {
    const rejects = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('no space left'), { code: 'ENOSPC' })),
    });
    const importing = fixture.bulk.import(fixture.name(), bad, { onError: 'skip', rejects });
    await expect(importing).rejects.toMatchObject({ name: 'BulkTaskError', cause: { code: 'ENOSPC' } });
    await nextTurn();
    expect(rejects.listenerCount('error')).toBe(0);
  });

  test('ends at a signal while the stream takes nothing', async () => {
    const abort = new AbortController();
    const rejects = new Writable({ write: () => abort.abort(new Error('enough')) });
    const importing = fixture.bulk.import(fixture.name(), bad, { onError: 'skip', rejects, signal: abort.signal });
    await expect(importing).rejects.toMatchObject({ name: 'BulkTaskError', cause: { message: 'enough' } });
  });
});

test('of very many failures the first ten thousand are listed, and all are counted', async () => {
  const file = Buffer.from(
    `{"database":"d","collections":{\n"c":{"documents":[\n${'{\n'.repeat(20_000)}{"_id":1}\n]}}}`,
  );
  const { collections, failures } = await fixture.bulk.import(fixture.name(), file, { dryRun: true, onError: 'skip' });
  expect([collections[0]!.skipped, failures.length]).toEqual([20_000, 10_000]);
});

test.each([false, true])('an export that nobody reads ends at its signal (gzip: %s)', async (gzip) => {
  const name = fixture.name();
  await fixture.insert(
    name,
    'c',
    Array.from({ length: 4000 }, (_, i) => ({ _id: i, text: Buffer.alloc(750, String(i * 7919)).toString('base64') })),
  );
  const abort = new AbortController();
  const stream = fixture.bulk.exportStream(name, { signal: abort.signal, gzip });
  const failed = new Promise((resolve) => stream.once('error', resolve));
  await waitFor(() => stream.readableLength > 0);
  abort.abort(new Error('enough'));
  await expect(stream.summary).rejects.toMatchObject({ name: 'BulkTaskError', cause: { message: 'enough' } });
  expect(await failed).toMatchObject({ message: expect.stringContaining('enough') });
  await waitFor(() => !fixture.wrapper.pools.primary.hasLongLease);
});
