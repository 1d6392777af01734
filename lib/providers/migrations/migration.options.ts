import type { Type } from '@nestjs/common';
import { check, checks, rejectUnknown, type Checks } from '../../polymongo.checks.js';
import type { MigrationInstance } from './migration.types.js';

/** A line that a migration logs. */
export interface MigrationLogLine {
  readonly tenantId: string;
  readonly migration: string;
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
  /** Takes what migrations log. Default: Nest's logger. */
  log?: (line: MigrationLogLine) => void;
}

/** With their defaults. */
export type ResolvedMigrationsOptions = Readonly<
  Required<Omit<MigrationsOptions, 'directory' | 'log'>> & Pick<MigrationsOptions, 'directory' | 'log'>
>;

const MIN_LOCK_MS = 300;

const MIGRATIONS_CHECKS: Checks<MigrationsOptions> = {
  directory: checks.string,
  classes: {
    allowed: 'an array of classes',
    accepts: (v) => Array.isArray(v) && v.every((each) => typeof each === 'function'),
  },
  baseline: { allowed: "'run' or 'stamp'", accepts: (v) => v === 'run' || v === 'stamp' },
  lockMS: {
    allowed: `a number of milliseconds of at least ${MIN_LOCK_MS}`,
    accepts: (v) => checks.durationMS.accepts(v) && (v as number) >= MIN_LOCK_MS,
  },
  waitMS: checks.durationMS,
  log: checks.function,
};

/** @throws PolyMongoOptionsError */
export function resolveMigrationsOptions(options: MigrationsOptions): ResolvedMigrationsOptions {
  rejectUnknown('migrations.', options, MIGRATIONS_CHECKS);
  check('migrations.', options, MIGRATIONS_CHECKS);
  return Object.freeze({
    ...options,
    classes: Object.freeze([...(options.classes ?? [])]),
    baseline: options.baseline ?? 'run',
    lockMS: options.lockMS ?? 30_000,
    waitMS: options.waitMS ?? 60_000,
  });
}
