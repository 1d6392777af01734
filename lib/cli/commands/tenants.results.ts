import type { TenantResult } from '../../providers/tenant/tenant.fan-out.js';
import { type CliIO, ExitCode } from '../cli.io.js';
import type { GlobalOptions } from '../cli.session.js';
import { writeJSON } from '../output.js';
import type { ProgressLine } from '../progress.line.js';

/** The order in which results are shown. */
export const byTenant = (a: TenantResult<unknown>, b: TenantResult<unknown>): number =>
  a.tenantId < b.tenantId ? -1 : 1;

/**
 * Shows what was done, also where it ends with an error; the exit code that goes with it.
 * @param write shows it where `--json` does not
 */
export async function concludeRun<T extends object>(
  run: AsyncIterable<TenantResult<T>>,
  { stdout }: CliIO,
  { json }: GlobalOptions,
  line: ProgressLine,
  write: (results: readonly TenantResult<T>[]) => void,
): Promise<number> {
  const results: TenantResult<T>[] = [];
  let isWhole = false;
  try {
    for await (const result of run) results.push(result);
    isWhole = true;
  } finally {
    line.clear();
    results.sort(byTenant);
    // Of a run that could not begin the error says all.
    if (!json) write(results);
    else if (isWhole || results.length > 0) writeJSON(stdout, results.map(jsonOf));
  }
  return results.every(({ ok }) => ok) ? ExitCode.Done : ExitCode.Failed;
}

/** A result as JSON has it. */
export function jsonOf(result: TenantResult<object>): object {
  const { tenantId, ok } = result;
  if (result.ok) return { tenantId, ok, ...result.value };
  const { name, message } = result.error as Error;
  return { tenantId, ok, error: { name, message } };
}
