import type { Writable } from 'node:stream';
import type { TenantMigrationStatus } from '../../providers/migrations/polymongo-migrations.provider.js';
import type { MigrationRecord } from '../../providers/migrations/migration.types.js';
import type { TenantResult } from '../../providers/tenant/tenant.fan-out.js';
import type { TenantMigration } from '../../providers/tenant/tenant.migrations.js';
import { writeLine, writeTable } from '../output.js';

/** What a run did, one tenant a line. */
export function writeRun(out: Writable, results: readonly TenantResult<TenantMigration>[]): void {
  if (results.length === 0) return;
  writeTable(
    out,
    ['TENANT', 'VERSION', 'STEPS', 'MS'],
    results.map((result) => {
      if (!result.ok) return [result.tenantId, 'failed', '', ''];
      const { version = '-', steps } = result.value;
      const totalMS = steps.reduce((sum, { durationMS = 0 }) => sum + durationMS, 0);
      return [
        result.tenantId,
        version,
        steps.map(({ kind, migration }) => `${kind} ${migration}`).join(', ') || '-',
        totalMS,
      ];
    }),
  );
  for (const result of results) if (!result.ok) writeLine(out, (result.error as Error).message);
}

const LEGEND = 'x done, s stamped, . not run, > running, f failed and rolled back, ! half-done';

/** Tenants × versions. */
export function writeStatus(
  out: Writable,
  names: readonly string[],
  results: readonly TenantResult<TenantMigrationStatus>[],
): void {
  const digits = names.map((name) => name.slice(0, name.indexOf('-')));
  writeTable(
    out,
    ['TENANT', ...digits, 'AHEAD'],
    results.map((result) =>
      result.ok
        ? [
            result.tenantId,
            ...names.map((name) => cellOf(result.value.records[name], result.value.isRunning)),
            result.value.ahead.length > 0 ? `+${result.value.ahead.length}` : '',
          ]
        : [result.tenantId, ...names.map(() => '?'), ''],
    ),
  );
  writeLine(out, LEGEND);
  for (const name of names) writeLine(out, name);
  for (const result of results) {
    if (!result.ok) writeLine(out, `${result.tenantId}: ${(result.error as Error).message}`);
    else
      for (const [name, { state, error }] of Object.entries(result.value.records)) {
        if (state === 'half-done' || state === 'failed')
          writeLine(out, `${result.tenantId} ${name}: ${state}, ${error ?? ''}`);
      }
  }
}

function cellOf(record: MigrationRecord | undefined, isRunning: boolean): string {
  switch (record?.state) {
    case 'done':
      return record.isStamped ? 's' : 'x';
    case 'begun':
      return isRunning ? '>' : '!';
    case 'half-done':
      return '!';
    case 'failed':
      return 'f';
    default:
      return '.';
  }
}
