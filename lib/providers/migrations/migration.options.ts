import type { Type } from '@nestjs/common';
import { checkOptions, checks, oneOf, type Check, type Checks } from '../../polymongo.checks.js';
import type { MigrationInstance } from './migration.types.js';

/** A line that a migration logs. */
export interface MigrationLogLine {
  /** The tenant whose database is being migrated. */
  readonly tenantId: string;
  /** The migration's name, `NNNN-name`. */
  readonly migration: string;
  /** What `context.log()` was given. */
  readonly message: string;
}

/** Where migrations are, and how they run. */
export interface MigrationsOptions {
  /** The folder with the files `NNNN-name.js` (`.mjs`, `.cjs`, `.ts` where Node is told how to read it). */
  directory?: string;
  /** Classes with `@Migration('NNNN-name')`; what they inject is there. Beside those of the folder. */
  classes?: readonly Type<MigrationInstance>[];
  /** What provisioning does: `run` all (default), or `stamp` them, for databases that begin with what they make. */
  baseline?: 'run' | 'stamp';
  /** For how long a process that is not heard of keeps a tenant to itself, in ms. Default 30000. */
  lockMS?: number;
  /** How long to wait for another process that migrates the same tenant, in ms. Default 60000. */
  waitMS?: number;
  /**
   * When migrations run: when they are `asked` for (default), before a Nest application listens (`at-start`), or `lazily`,
   * each tenant's with its first use.
   */
  runs?: 'asked' | 'at-start' | 'lazily';
  /** How many tenants at a time `at-start`. Default 4. */
  concurrency?: number;
  /** `at-start`: the first error keeps the application from starting (default `stop`), or `onDbError` is told (`collect`). */
  onError?: 'stop' | 'collect';
  /** A tenant without some of these migrations is served (default), has its work wait for them, or is refused with 503. */
  behind?: 'serve' | 'wait' | 'refuse';
  /** A tenant with migrations of later code is served (default), or refused with 503. */
  ahead?: 'serve' | 'refuse';
  /** How long work waits with `behind: 'wait'`, in ms; then it is refused. Default 30000. */
  requestWaitMS?: number;
  /** When whoever was refused may come again, in ms. A run that failed is not begun again before. Default 5000. */
  retryAfterMS?: number;
  /** Takes what migrations log. Default: Nest's logger. */
  log?: (line: MigrationLogLine) => void;
}

/** With their defaults. */
export type ResolvedMigrationsOptions = Readonly<
  Required<Omit<MigrationsOptions, 'directory' | 'log'>> & Pick<MigrationsOptions, 'directory' | 'log'>
>;

const MIN_LOCK_MS = 300;

/** Also for what Nest has to be told before there are options. */
export const CLASSES_CHECK: Check = {
  allowed: 'an array of classes',
  accepts: (v) => Array.isArray(v) && v.every((each) => typeof each === 'function'),
};

const MIGRATIONS_CHECKS: Checks<MigrationsOptions> = {
  directory: checks.string,
  classes: CLASSES_CHECK,
  baseline: oneOf('run', 'stamp'),
  lockMS: {
    allowed: `a number of milliseconds of at least ${MIN_LOCK_MS}`,
    accepts: (v) => checks.durationMS.accepts(v) && (v as number) >= MIN_LOCK_MS,
  },
  waitMS: checks.durationMS,
  runs: oneOf('asked', 'at-start', 'lazily'),
  concurrency: checks.positiveInteger,
  onError: oneOf('stop', 'collect'),
  behind: oneOf('serve', 'wait', 'refuse'),
  ahead: oneOf('serve', 'refuse'),
  requestWaitMS: checks.durationMS,
  retryAfterMS: checks.durationMS,
  log: checks.function,
};

/** @throws PolyMongoOptionsError */
export function resolveMigrationsOptions(options: MigrationsOptions): ResolvedMigrationsOptions {
  checkOptions('migrations.', options, MIGRATIONS_CHECKS);
  return Object.freeze({
    ...options,
    classes: Object.freeze([...(options.classes ?? [])]),
    baseline: options.baseline ?? 'run',
    lockMS: options.lockMS ?? 30_000,
    waitMS: options.waitMS ?? 60_000,
    runs: options.runs ?? 'asked',
    concurrency: options.concurrency ?? 4,
    onError: options.onError ?? 'stop',
    behind: options.behind ?? 'serve',
    ahead: options.ahead ?? 'serve',
    requestWaitMS: options.requestWaitMS ?? 30_000,
    retryAfterMS: options.retryAfterMS ?? 5_000,
  });
}
