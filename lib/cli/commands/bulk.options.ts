import type { Command } from 'commander';
import { type CliIO, ExitCode, UsageError } from '../cli.io.js';
import type { GlobalOptions } from '../cli.session.js';
import { writeJSON, writeSummary } from '../output.js';
import type { PolyMongoWrapper } from '../../polymongo.wrapper.js';
import { ProgressLine } from '../progress.line.js';
import type { BulkOptions, BulkReadOptions, BulkSummary } from '../../providers/bulk/bulk.types.js';

export interface SelectionFlags extends GlobalOptions {
  readonly include?: string[];
  readonly exclude?: string[];
  readonly rename?: string[];
  readonly query?: string;
  readonly snapshot?: boolean;
}

/** What a file's name says of it. */
export const isCsv = (file: string | undefined): boolean => file !== undefined && /\.csv(\.gz)?$/i.test(file);

/** Of commands that write a file. */
export const withForce = (command: Command): Command =>
  command.option('--force', 'replace a regular file that is there');

const collect = (value: string, before: string[] = []): string[] => [...before, value];

export const withSelection = (command: Command): Command =>
  command
    .option('-i, --include <collection>', 'only this collection (may be given several times)', collect)
    .option('-x, --exclude <collection>', 'not this collection (may be given several times)', collect)
    .option('--rename <old=new>', 'another name for a collection (may be given several times)', collect);

export const withReading = (command: Command): Command =>
  command
    .option('-q, --query <json>', 'Extended JSON: { "collection": { filter } }, only matching documents')
    .option('--snapshot', 'read everything as it is at one moment (replica sets)');

/** The options of a bulk task that the flags stand for. */
export async function selectionOf(
  flags: SelectionFlags,
  io: CliIO,
  line: ProgressLine,
): Promise<BulkOptions & BulkReadOptions> {
  const { include, exclude, rename, query, snapshot } = flags;
  return {
    ...(include && { include }),
    ...(exclude && { exclude }),
    ...(rename && { rename: renameOf(rename) }),
    ...(query !== undefined && {
      query: await parseExtendedJson<NonNullable<BulkReadOptions['query']>>('--query', query),
    }),
    ...(snapshot && { snapshot }),
    signal: io.signal,
    onProgress: line.show,
  };
}

export const progressLine = (io: CliIO, { json, quiet }: GlobalOptions): ProgressLine =>
  new ProgressLine(io, !json && !quiet);

/** @throws Error where there is no such database, or collection: most likely its name is mistyped */
export async function requireCollections(
  { pools }: PolyMongoWrapper,
  name: string,
  collection?: string,
): Promise<void> {
  const database = pools.database(name);
  const has = (filter: { name?: string }) =>
    database.run(() => database.connection.db!.listCollections(filter, { nameOnly: true }).hasNext());
  if (!(await has({}))) throw new Error(`${name} has no collections: is that its name?`);
  if (collection !== undefined && !(await has({ name: collection })))
    throw new Error(`${name} has no collection ${collection}: is that its name?`);
}

/** Shows what was done; the exit code that goes with it. */
export function conclude(summary: BulkSummary, out: CliIO['stdout'], { json, quiet }: GlobalOptions): number {
  if (json) writeJSON(out, summary);
  else if (!quiet) writeSummary(out, summary);
  return summary.failures.length > 0 ? ExitCode.Incomplete : ExitCode.Done;
}

function renameOf(pairs: readonly string[]): NonNullable<BulkOptions['rename']> {
  const names = new Map<string, string>();
  for (const [old, name] of pairs.map(parseRename)) {
    if (names.has(old)) throw new UsageError(`--rename gives ${old} two names.`);
    names.set(old, name);
  }
  return Object.fromEntries(names);
}

function parseRename(pair: string): [string, string] {
  const at = pair.indexOf('=');
  if (at < 1 || at === pair.length - 1) throw new UsageError(`--rename takes old=new, not ${pair}.`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

/** Names with commas between them. */
export const listOf = (text: string): string[] => text.split(',');

/** @throws UsageError that names the flag */
export async function parseExtendedJson<T>(flag: string, text: string): Promise<T> {
  const { default: mongoose } = await import('mongoose');
  try {
    return mongoose.mongo.BSON.EJSON.parse(text) as T;
  } catch (error) {
    throw new UsageError(`${flag} is not Extended JSON: ${(error as Error).message}`);
  }
}
