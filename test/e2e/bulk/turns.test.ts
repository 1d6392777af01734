import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { BulkOptions } from '../../../lib/providers/bulk/bulk.types.js';
import { BulkFixture, readAll, streamOf } from './bulk.fixture.js';
import { watched } from './watched.js';

const DOCUMENTS = 20_000;
/** Of some 2 KB each: a batch is a thousand, and a fast machine reads more than one before others have their turn. */
const MOST = 5_000;
const TEXT = Buffer.alloc(1_500, 'some text').toString('base64');

let fixture: BulkFixture;
let source: string;
let json: Buffer;
let archive: Buffer;
beforeAll(async () => {
  fixture = await BulkFixture.start();
  source = fixture.name();
  for (let from = 0; from < DOCUMENTS; from += 1000)
    await fixture.insert(
      source,
      'c',
      Array.from({ length: 1000 }, (_, i) => ({ _id: from + i, text: TEXT })),
    );
  json = await readAll(fixture.bulk.exportStream(source));
  archive = await readAll(fixture.bulk.exportStream(source, { format: 'archive' }));
});
afterAll(() => fixture.stop());

/** How many documents a task works on at most between two turns of the event loop, and on how many in all. */
async function pacesOf(run: (options: BulkOptions) => Promise<unknown>): Promise<{ most: number; all: number }> {
  let [since, most, all, isDone] = [0, 0, 0, false];
  const turn = () => {
    since = 0;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  try {
    await run({
      transform(document) {
        all++;
        most = Math.max(most, ++since);
        return document;
      },
    });
  } finally {
    isDone = true;
  }
  return { most, all };
}

describe('others have their turn', () => {
  test.each<[string, (options: BulkOptions) => Promise<unknown>]>([
    ['an import of a file in memory', (options) => fixture.bulk.import(fixture.name(), json, options)],
    ['of a text', (options) => fixture.bulk.import(fixture.name(), json.toString(), options)],
    ['of an object', (options) => fixture.bulk.import(fixture.name(), JSON.parse(json.toString()) as never, options)],
    ['of an archive', (options) => fixture.bulk.import(fixture.name(), archive, options)],
    ['of a gzipped one', (options) => fixture.bulk.import(fixture.name(), gzipSync(archive, { level: 1 }), options)],
    ['of a stream', (options) => fixture.bulk.importStream(fixture.name(), streamOf(json), options)],
    ['a dry run of a file', (options) => fixture.bulk.import(fixture.name(), json, { ...options, dryRun: true })],
    ['of an archive', (options) => fixture.bulk.import(fixture.name(), archive, { ...options, dryRun: true })],
    ['an export to an object', (options) => fixture.bulk.export(source, options)],
    ['to a file', (options) => readAll(fixture.bulk.exportStream(source, options))],
    ['to a gzipped file', (options) => readAll(fixture.bulk.exportStream(source, { ...options, gzip: true }))],
    ['to an archive', (options) => readAll(fixture.bulk.exportStream(source, { ...options, format: 'archive' }))],
    ['a copy', (options) => fixture.bulk.copyDatabase(source, fixture.name(), options)],
  ])('while a task works on very many documents: %s', async (_, run) => {
    const { most, all } = await pacesOf(run);
    expect(all).toBe(DOCUMENTS);
    expect(most).toBeLessThan(MOST);
  });

  test.each([
    ['as it is', (file: Buffer) => file],
    ['gzipped, a thousandth of it', (file: Buffer) => gzipSync(file, { level: 9 })],
  ])('while a task reads very many digits: %s', async (_, packed) => {
    const numbers = `1${'0'.repeat(4000)},`.repeat(500);
    const documents = `{"a":[${numbers}0]},`.repeat(40);
    const file = packed(Buffer.from(`{"collections":{"c":{"documents":[${documents}{}]}}}`));
    const { turns } = await watched(() => fixture.bulk.import(fixture.name(), file, { dryRun: true }));
    expect(turns).toBeGreaterThan(5); // 80 MB
  });
});
