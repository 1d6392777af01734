import type { Readable, Writable } from 'node:stream';

/** What the command line talks to: the process, or a test. */
export interface CliIO {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of the package; what `--version` prints. */
  readonly version: string;
  /** Aborted by Ctrl-C, with an Interruption; or because the output cannot be written, with that error. */
  readonly signal: AbortSignal;
}

/** What commands end with. */
export const ExitCode = {
  Done: 0,
  Failed: 1,
  /** The command line itself is wrong. */
  Usage: 2,
  /** Finished, but documents or indexes were passed over (`--on-error skip`). */
  Incomplete: 3,
  /** Ctrl-C. */
  Interrupted: 130,
} as const;

/** Why the signal is aborted when a user or a supervisor ends the command: Ctrl-C, SIGTERM, or `| head` has enough. */
export class Interruption extends Error {}

/** A mistake in the command line, told without a stack. */
export class UsageError extends Error {}
