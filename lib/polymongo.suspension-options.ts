import { checkOptions, checks, type Checks } from './polymongo.checks.js';

/** How suspended tenants are answered, and within which time each process knows of them. */
export interface SuspensionOptions {
  /** What HTTP clients of a suspended tenant get: 503 with `Retry-After` (default), or 403. */
  status?: 403 | 503;
  /** When such a client may come again, in ms; with 503 only. Default 60000. */
  retryAfterMS?: number;
  /**
   * How old what a process knows may be, in ms: `suspend` resolves after that time, when no process lets the tenant in any
   * more. Each process that has tenants to serve reads one small document twice in it. Default 4000, at least 100.
   */
  withinMS?: number;
}

export type ResolvedSuspensionOptions = Readonly<Required<SuspensionOptions>>;

const MIN_WITHIN_MS = 100;

const SUSPENSION_CHECKS: Checks<SuspensionOptions> = {
  status: { allowed: '403 or 503', accepts: (v) => v === 403 || v === 503 },
  retryAfterMS: checks.durationMS,
  withinMS: {
    allowed: `a number of ms, at least ${MIN_WITHIN_MS}`,
    accepts: (v) => checks.durationMS.accepts(v) && (v as number) >= MIN_WITHIN_MS,
  },
};

/** @throws PolyMongoOptionsError */
export function resolveSuspension(options: SuspensionOptions): ResolvedSuspensionOptions {
  checkOptions('tenant.suspension.', options, SUSPENSION_CHECKS);
  const { status = 503, retryAfterMS = 60_000, withinMS = 4_000 } = options;
  return Object.freeze({ status, retryAfterMS, withinMS });
}
