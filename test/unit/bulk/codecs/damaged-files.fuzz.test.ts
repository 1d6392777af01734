import { createContext, Script } from 'node:vm';
import { gunzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { BulkFormatError } from '../../../../lib/providers/bulk/bulk.errors.js';
import { ARCHIVE_MAGIC } from '../../../../lib/providers/bulk/codecs/archive.format.js';
import { ArchiveReader } from '../../../../lib/providers/bulk/codecs/archive.reader.js';
import { CanonicalJsonWriter } from '../../../../lib/providers/bulk/codecs/canonical-json.writer.js';
import { ExportFileReader } from '../../../../lib/providers/bulk/codecs/export-file.reader.js';
import type { ImportEvent } from '../../../../lib/providers/bulk/codecs/import.events.js';
import { idOf, splitDocuments, withIdFirst } from '../../../../lib/providers/bulk/raw/raw-document.js';
import { validateDoc } from '../../../../packages/embedded-mongo/src/bson/validate.js';
import { mulberry32 } from '../../../support/random.js';
import { printedSeed } from '../../../support/seed.js';
import { damagedFile, goodFile } from './damaged-files.js';

const SEED = printedSeed('damaged files');
const FILES = Number(process.env.POLYMONGO_FUZZ_FILES ?? 1000);
const MB = 1024 * 1024;
/** What one file may take of the processor, and each MB of it. */
const [CPU_MS, CPU_MS_A_MB] = [500, 4000];
/** A busy machine takes longer; what takes this long has no end. */
const TIMEOUT_MS = 20_000;
const [MEMORY, MEMORY_A_BYTE] = [8 * MB, 64];

const context = createContext({ work: undefined as unknown });
const script = new Script('work()');

/** Runs `work`, and ends it where it takes too long, also in a loop that gives nobody else a turn. @returns what it took of the processor, in ms */
function cpuMSOf(work: () => void): number {
  context['work'] = work;
  const before = process.cpuUsage();
  script.runInContext(context, { timeout: TIMEOUT_MS });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function take(event: ImportEvent, writer: CanonicalJsonWriter): number {
  if (event.kind !== 'documents') return event.kind === 'rejected' ? 1 : 0;
  const documents = splitDocuments(event.batch.bytes);
  for (const document of documents) {
    validateDoc(document); // the embedded server's own check, written by itself
    idOf(withIdFirst(document, 'c:1'));
    writer.writeDocument(document);
  }
  writer.take();
  return documents.length;
}

/** Reads a file in random pieces as an import does. @returns its documents, and how much memory the reader held */
function readFile(file: Buffer, seed: number): { documents: number; held: number; bytes: number } {
  const random = mulberry32(seed);
  const onError = random() < 0.5 ? 'skip' : 'stop';
  const writer = new CanonicalJsonWriter({ initialSize: 4096 });
  const bytes = file.readUInt16BE(0) === 0x1f8b ? gunzipSync(file) : file;
  const before = process.memoryUsage().arrayBuffers;
  const isArchive = bytes.subarray(0, 4).equals(ARCHIVE_MAGIC);
  const reader = isArchive ? new ArchiveReader({ onError }) : new ExportFileReader({ onError });
  let [documents, held] = [0, 0];
  const measure = () => (held = Math.max(held, process.memoryUsage().arrayBuffers - before));
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + Math.floor(random() * bytes.length);
    for (const event of reader.push(bytes.subarray(at, end))) documents += take(event, writer);
    at = end;
    measure();
  }
  for (const event of reader.finish()) documents += take(event, writer);
  return { documents, held, bytes: bytes.length };
}

/** What is wrong with how a file is read. */
function faultOf(seed: number, make: (seed: number) => Buffer): string | undefined {
  const file = make(seed);
  if (file.length < 2) return undefined;
  const outcome: { result?: ReturnType<typeof readFile>; refusal?: unknown } = {};
  const boundMS = CPU_MS + (CPU_MS_A_MB * file.length) / MB;
  let cpuMS = Infinity;
  try {
    // The engine's own threads are in the figure: what a file itself takes, it takes each time.
    for (let attempt = 0; attempt < 3 && cpuMS > boundMS; attempt++)
      cpuMS = cpuMSOf(() => {
        try {
          outcome.result = readFile(file, seed);
        } catch (error) {
          outcome.refusal = error;
        }
      });
  } catch (endless) {
    return String(endless);
  }
  const { result, refusal } = outcome;
  if (cpuMS > boundMS) return `took ${cpuMS.toFixed(0)} ms of the processor`;
  if (result) {
    const { held, bytes } = result;
    if (held > MEMORY + MEMORY_A_BYTE * bytes) return `held ${(held / MB).toFixed(1)} MB for ${bytes} bytes`;
    return make === goodFile && result.documents === 0 ? 'gave no documents' : undefined;
  }
  if (make === goodFile) return `a good file: ${String(refusal)}`;
  const isUnpacking = String((refusal as { code?: unknown }).code).startsWith('Z_');
  const hasPlace = refusal instanceof BulkFormatError && refusal.byteOffset !== undefined;
  return hasPlace || isUnpacking ? undefined : String(refusal);
}

test(`damaged files are read, or refused with a place, in bounded time and memory (${FILES} files, seed ${SEED})`, () => {
  const faults: string[] = [];
  for (let seed = SEED; seed < SEED + FILES && faults.length < 5; seed++) {
    for (const make of seed % 10 === 0 ? [goodFile, damagedFile] : [damagedFile]) {
      const fault = faultOf(seed, make);
      if (fault) faults.push(`POLYMONGO_SEED=${seed} POLYMONGO_FUZZ_FILES=1: ${fault}`);
    }
  }
  expect(faults).toEqual([]);
}, 120_000);
