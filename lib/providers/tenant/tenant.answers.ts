import { describeValue } from '../../polymongo.checks.js';
import { within } from '../pools/deadline.js';
import { TenantLookupError, type TenantLookup } from './tenant-work.errors.js';

/** Waits for an answer no longer than `timeoutMS`. @throws TenantLookupError then; what `ask` throws */
export async function answerOf<T>(lookup: TenantLookup, timeoutMS: number, ask: () => T | Promise<T>): Promise<T> {
  const answer = (async () => ask())();
  if (await within(timeoutMS, answer)) return answer;
  throw new TenantLookupError(lookup, `did not answer within ${timeoutMS} ms`);
}

/** Only `true` lets in: whatever else is truthy could mean no. @throws TenantLookupError */
export function yesOrNo(answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer;
  throw new TenantLookupError('exists', `answered ${describeValue(answer)}, which is neither true nor false`);
}
