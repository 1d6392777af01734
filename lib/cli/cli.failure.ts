import { CommanderError } from 'commander';
import { BulkTaskError } from '../providers/bulk/bulk.errors.js';
import { messageOf } from '../polymongo.errors.js';
import { type CliIO, ExitCode, Interruption, UsageError } from './cli.io.js';
import type { GlobalOptions } from './cli.session.js';
import { writeJSON, writeLine, writeSummary } from './output.js';

/** What a command failed with, and what can be done about it with the flags of the command. */
export class FailureWithRemedy extends Error {
  constructor(
    override readonly cause: unknown,
    readonly remedy: string,
  ) {
    super(messageOf(cause), { cause });
  }
}

/** Errors of what was typed, wherever they are found. */
const USAGE_ERRORS: ReadonlySet<unknown> = new Set([
  'PolyMongoOptionsError',
  'InvalidDatabaseNameError',
  'InvalidTenantIdError',
  'MongoParseError',
]);

/** What errors call an option of the API, and what it is on the command line. */
const FLAGS: readonly (readonly [pattern: RegExp, flag: string])[] = [
  [/\{ (drop|force): true \}/g, '--$1'],
  [/\{ dryRun: true \}/g, '--dry-run'],
  [/onError: 'skip'/g, '--on-error skip'],
  [/\bsourceDatabase\b/g, '--source-db'],
  [/"(include|exclude)"/g, '--$1'],
  [/\bresumeFrom\b/g, '--resume'],
  [/\bupsertFields\b/g, '--upsert-fields'],
  [/\bmongoURI\b/g, '--uri'],
];

const inFlags = (message: string): string =>
  FLAGS.reduce((text, [pattern, flag]) => text.replace(pattern, flag), message);

/** Tells, once, what a command line failed with. @returns the exit code */
export function tellFailure(error: unknown, io: CliIO, flags: GlobalOptions, usage: string): number {
  if (error instanceof CommanderError) return tellUsage(error, io, flags, usage);
  if (isClosedPipe(error)) return ExitCode.Interrupted; // the reader, such as `head`, has enough
  const { cause = error, remedy = '' } = error instanceof FailureWithRemedy ? error : {};
  const message = `${inFlags(messageOf(cause))}${remedy && ` ${remedy}`}`;
  const summary = cause instanceof BulkTaskError ? cause.summary : undefined;
  const isInterrupted = io.signal.reason instanceof Interruption;
  if (flags.json) writeJSON(io.stdout, { error: message, ...(summary && { summary }) });
  else {
    if (summary && summary.collections.length > 0 && !flags.quiet) writeSummary(io.stderr, summary);
    writeLine(io.stderr, `polymongo: ${message}`);
    if (isInterrupted) writeLine(io.stderr, INTERRUPTED);
  }
  if (isUsage(cause)) return ExitCode.Usage;
  return isInterrupted ? ExitCode.Interrupted : ExitCode.Failed;
}

const INTERRUPTED =
  'Interrupted. What is listed above is done; import goes on with --resume, copy by running it again.';

/** @param usage what commander says of it, or the help where there is no command */
function tellUsage({ exitCode, code }: CommanderError, io: CliIO, { json }: GlobalOptions, usage: string): number {
  if (exitCode === 0) return ExitCode.Done;
  const isHelp = code === 'commander.help';
  const message = usage.trimEnd().replace(/^error: /, '');
  if (json) writeJSON(io.stdout, { error: isHelp ? 'No command was given: polymongo --help lists them.' : message });
  else if (isHelp) io.stderr.write(usage);
  else writeLine(io.stderr, `polymongo: ${message}`);
  return ExitCode.Usage;
}

function isUsage(error: unknown): boolean {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++)
    if (each instanceof UsageError || USAGE_ERRORS.has(each.name)) return true;
  return false;
}

export const isClosedPipe = (error: unknown): boolean => (error as { code?: unknown }).code === 'EPIPE';
