import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { BulkSummary, ImportOptions } from '../../../lib/providers/bulk/bulk.types.js';
import { damagedFile, goodFile } from '../../unit/bulk/codecs/damaged-files.js';
import { mulberry32 } from '../../support/random.js';
import { printedSeed } from '../../support/seed.js';
import { BulkFixture } from './bulk.fixture.js';
import { watched } from './watched.js';

const SEED = printedSeed('damaged files, as users have them read');
const FILES = Number(process.env.POLYMONGO_FUZZ_FILES ?? 60);
const MB = 1024 * 1024;
/** What one file may take of the processor, and each MB of it; a busy machine's threads are in the figure. */
const [CPU_MS, CPU_MS_A_MB] = [700, 4000];
/** Of heap and buffers together. */
const [MEMORY, MEMORY_A_BYTE] = [16 * MB, 64];

let fixture: BulkFixture;
let name: string;
beforeAll(async () => {
  fixture = await BulkFixture.start();
  name = fixture.name();
});
afterAll(() => fixture.stop());

type Import = (options: ImportOptions) => Promise<BulkSummary>;

/** How a user gives a file: in pieces, at once, as text, as the object of a JSON.parse; gzipped or not. */
function ways(file: Buffer, random: () => number): Record<string, Import> {
  const piecesOf = (bytes: Buffer) => {
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = at + 1 + Math.floor(random() ** 4 * bytes.length);
      pieces.push(bytes.subarray(at, end));
      at = end;
    }
    return pieces;
  };
  const gzipped = () => gzipSync(file);
  /** Damage to what is packed is damage of its own. */
  const torn = () => {
    const bytes = Buffer.from(gzipped());
    bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
    return random() < 0.5 ? bytes : bytes.subarray(0, Math.floor(random() * bytes.length));
  };
  const { bulk } = fixture;
  const stream =
    (bytes: Buffer): Import =>
    (options) =>
      bulk.importStream(name, Readable.from(piecesOf(bytes)), options);
  const memory =
    (data: Buffer | string): Import =>
    (options) =>
      bulk.import(name, data, options);
  const parsed = (): unknown => {
    try {
      return JSON.parse(file.toString());
    } catch {
      return undefined;
    }
  };
  const object = parsed();
  return {
    'a stream': stream(file),
    'a gzipped stream': stream(gzipped()),
    'a torn gzipped stream': stream(torn()),
    'a file that is opened': (options) => bulk.importStream(name, () => Readable.from(piecesOf(file)), options),
    'bytes in memory': memory(file),
    'gzipped bytes in memory': memory(gzipped()),
    'torn gzipped bytes in memory': memory(torn()),
    'a text': memory(file.toString()),
    'as an archive': (options) => bulk.import(name, file, { ...options, format: 'archive' }),
    'as JSON': (options) => bulk.import(name, file, { ...options, format: 'json' }),
    ...(object !== undefined && {
      'an object': (options: ImportOptions) => bulk.import(name, object as never, options),
    }),
  };
}

/** What is wrong with how a file is read in one of the ways. */
async function faultOf(read: Import, options: ImportOptions, bytes: number): Promise<string | undefined> {
  let [fault, outcome]: [string | undefined, unknown] = [undefined, undefined];
  // The engine's own threads and its garbage are in the figures: what a file itself takes, it takes each time.
  for (let attempt = 0; attempt < 3; attempt++) {
    const before = process.cpuUsage();
    const { bytes: held } = await watched(
      async () => {
        outcome = await read(options).catch((error: unknown) => error);
      },
      attempt > 0 || bytes > MB / 4,
    );
    const { user, system } = process.cpuUsage(before);
    const cpuMS = (user + system) / 1000;
    fault = undefined;
    if (cpuMS > CPU_MS + (CPU_MS_A_MB * bytes) / MB) fault = `took ${cpuMS.toFixed(0)} ms of the processor`;
    else if (held > MEMORY + MEMORY_A_BYTE * bytes) fault = `held ${(held / MB).toFixed(1)} MB`;
    else break;
  }
  const isTyped = !(outcome instanceof Error) || outcome.name === 'BulkTaskError' || outcome.name.startsWith('Bulk');
  return fault ?? (isTyped ? undefined : `an error of another kind: ${String(outcome)}`);
}

test(`damaged files are read or refused in bounded time and memory, however they come (${FILES} files, seed ${SEED})`, async () => {
  const faults: string[] = [];
  for (let seed = SEED; seed < SEED + FILES && faults.length < 5; seed++) {
    const random = mulberry32(seed);
    // Each fifth is a megabyte or so, and most of these are read to their end, so that what a megabyte takes is seen.
    const isLong = seed % 5 === 0;
    const file = (random() < (isLong ? 0.7 : 0.1) ? goodFile : damagedFile)(seed, isLong ? 400 : 1);
    const all = Object.entries(ways(file, random));
    const options = { dryRun: true, onError: random() < 0.5 ? 'skip' : 'stop' } as const;
    for (const [way, read] of isLong ? all.filter(() => random() < 0.4) : all) {
      const fault = await faultOf(read, options, file.length);
      if (fault) faults.push(`POLYMONGO_SEED=${seed} POLYMONGO_FUZZ_FILES=1: ${way} of ${file.length} bytes: ${fault}`);
    }
  }
  expect(faults).toEqual([]);
}, 300_000);
