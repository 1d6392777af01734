import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mongoose from 'mongoose';
import type { BulkSummary } from '../../../lib/providers/bulk/bulk.types.js';
import { ARCHIVE_MAGIC } from '../../../lib/providers/bulk/codecs/archive.format.js';
import { ArchiveWriter } from '../../../lib/providers/bulk/codecs/archive.writer.js';
import { damagedFile } from '../../unit/bulk/codecs/damaged-files.js';
import { printedSeed } from '../../support/seed.js';
import { BulkFixture, streamOf } from './bulk.fixture.js';

const { BSON } = mongoose.mongo;
const SEED = printedSeed('dry runs of damaged files');
const FILES = Number(process.env.POLYMONGO_FUZZ_FILES ?? 150);

let fixture: BulkFixture;
beforeAll(async () => {
  fixture = await BulkFixture.start();
});
afterAll(() => fixture.stop());

interface Failure {
  readonly byteOffset?: number;
  readonly cause?: { readonly name: string; readonly code?: number; readonly message: string };
}
const outcomeOf = (importing: Promise<BulkSummary>): Promise<BulkSummary | Failure> =>
  importing.catch((error: unknown) => error as Failure);

/** What only a server knows: duplicate keys, indexes and options it does not take, an _id that can be none, buckets. */
const isServers = ({ cause }: Failure): boolean =>
  (cause?.name === 'BulkWriteError' && cause.code !== undefined && ![22, 15].includes(cause.code)) ||
  (cause?.name === 'BulkArgumentError' && cause.message.includes('this server shows no'));

test(`a dry run says of damaged files what an import says of them (${FILES} files, seed ${SEED})`, async () => {
  const differing: string[] = [];
  for (let seed = SEED; seed < SEED + FILES; seed++) {
    const onError = seed % 2 ? 'skip' : 'stop';
    const run = (dryRun: boolean) =>
      outcomeOf(fixture.bulk.importStream(fixture.name(), streamOf(damagedFile(seed)), { dryRun, onError }));
    const [dry, real] = [await run(true), await run(false)];
    if ('failures' in dry) {
      const isSame = 'failures' in real ? real.collections.length === dry.collections.length : isServers(real);
      if (!isSame) differing.push(`seed ${seed}: only the import failed: ${String(real)}`);
    } else if ('failures' in real || (!isServers(real) && real.byteOffset !== dry.byteOffset)) {
      differing.push(`seed ${seed}: ${String(dry)}, but the import: ${String(real)}`);
    }
  }
  expect(differing).toEqual([]);
}, 120_000);

describe.each([true, false])('an import (dryRun: %s)', (dryRun) => {
  const importing = (file: Uint8Array, options = {}) =>
    fixture.bulk.import(fixture.name(), file, { dryRun, ...options });

  test('refuses an archive whose header has a string of length -7', async () => {
    const header = Buffer.from('1100000002 6100 f9ffffff 000000000000'.replaceAll(' ', ''), 'hex');
    await expect(importing(Buffer.concat([ARCHIVE_MAGIC, header]))).rejects.toMatchObject({
      cause: { name: 'BulkFormatError', byteOffset: 4, reason: expect.stringContaining('-7') },
    });
  });

  test('goes on behind a document of an archive that is no BSON on onError: skip, and says that it differs', async () => {
    const writer = new ArchiveWriter('shop');
    const definition = { name: 'c', type: 'collection', options: BSON.serialize({}), indexes: [] };
    const documents = [1, 2, 3].map((_id) => Buffer.from(BSON.serialize({ _id, text: 'x' })));
    const file = Buffer.concat([
      ...writer.begin({ concurrentCollections: 1, serverVersion: '8.0.0', toolVersion: '' }, [definition]),
      ...writer.documents(definition, Buffer.concat(documents)),
      ...writer.endCollection(definition),
    ]);
    const at = file.indexOf(documents[1]!);
    file.writeInt32LE(-7, file.indexOf('text\0', at) + 5);
    await expect(importing(file)).rejects.toMatchObject({ collection: 'c', documentNumber: 2 });
    const rejected: string[] = [];
    const { Writable } = await import('node:stream');
    const rejects = new Writable({ write: (line: Buffer, _, done) => (rejected.push(String(line)), done()) });
    const { collections, failures } = await importing(file, { onError: 'skip', rejects });
    expect(collections).toMatchObject([{ documents: 2, skipped: 1 }]);
    expect(rejected.map((line) => JSON.parse(line))).toMatchObject([{ documentNumber: 2, byteOffset: at }]);
    expect(failures).toMatchObject([{ kind: 'collection', reason: expect.stringContaining('checksum') }]);
  });

  test.each(['', '.a', 'a$b', 'a\\u0000b', 'x'.repeat(254)])(
    'refuses a collection that cannot be there: "%s"',
    async (name) => {
      const file = Buffer.from(`{"collections":{"${name}":{"documents":[{"_id":1}]},"c":{"documents":[{"_id":1}]}}}`);
      await expect(importing(file)).rejects.toMatchObject({ cause: { name: 'BulkFormatError' } });
      const { collections, failures } = await importing(file, { onError: 'skip' });
      expect(collections).toMatchObject([
        { documents: 0, skipped: 1 },
        { name: 'c', documents: 1 },
      ]);
      expect(failures).toMatchObject([{ kind: 'collection' }]);
    },
  );

  test('refuses indexes that are no documents, in both formats', async () => {
    const file = Buffer.from('{"collections":{"c":{"documents":[],"indexes":[1]}}}');
    await expect(importing(file)).rejects.toThrow('"indexes": an array is not of at most 1000 documents');
    const writer = new ArchiveWriter('shop');
    const [magic, header] = writer.begin({ concurrentCollections: 1, serverVersion: '8', toolVersion: '' }, []);
    const text = '{"indexes":[{"$numberInt":"1"}]}';
    const entry = BSON.serialize({ db: 'shop', collection: 'c', metadata: text, size: 0, type: 'collection' });
    await expect(importing(Buffer.concat([magic!, header!, entry]))).rejects.toThrow('a damaged entry');
  });
});

test('the options of a file do not decide which collection is made', async () => {
  const name = fixture.name();
  const options = '{"create":"other","capped":true,"size":4096}';
  await fixture.bulk.import(name, `{"collections":{"c":{"options":${options},"documents":[{"_id":1}]}}}`);
  expect(await fixture.structureOf(name)).toMatchObject([{ collection: 'c', options: { capped: true } }]);
});
