import { messageOf } from '../../polymongo.errors.js';
import { secretsOf } from '../../polymongo.secrets.js';
import { redactURI } from '../../polymongo.uri.js';
import type { DatabasePool } from '../pools/database.pool.js';
import { within } from '../pools/deadline.js';
import { isSaturated } from '../pools/pool.statistics.js';
import type { PingAnswer } from './cluster.ping.js';
import type { PoolHealth, PoolHealthState } from './health.types.js';

/** A pool's state, from what is known of it without asking a server. */
export function stateOf(pool: DatabasePool): PoolHealthState {
  switch (pool.state) {
    case 'connecting':
      return 'connecting';
    case 'draining':
      return 'closing';
    case 'connected':
      return pool.isReachable ? (isSaturated(pool.stats) ? 'saturated' : 'connected') : 'reconnecting';
    default:
      return pool.failure === undefined ? 'cold' : 'failed';
  }
}

/**
 * Has a pool that failed try again, or no probe would see that the server came back: who is told that it is not healthy
 * sends it no work. Waits for one that connects. Neither fails; {@link stateOf} says what came of it.
 */
export async function settleConnect(pool: DatabasePool, timeoutMS: number): Promise<void> {
  const opening = pool.whenClosed().then(() => pool.open());
  await within(
    timeoutMS,
    opening.catch(() => {}),
  );
}

/** What is told of a pool, when the servers of its cluster have answered or not. */
export function conditionOf(pool: DatabasePool, isSaturatedHealthy: boolean, answer?: PingAnswer): PoolHealth {
  const known = stateOf(pool);
  const isMute = answer?.isAnswered === false && (known === 'connected' || known === 'saturated');
  const state = isMute ? 'unresponsive' : known;
  const { inUseConnections, waitQueueSize, maxPoolSize } = pool.stats;
  const isHealthy =
    state === 'cold' || state === 'connected' || state === 'closing' || (state === 'saturated' && isSaturatedHealthy);
  const reason = isHealthy ? undefined : reasonOf(pool, state, answer);
  return {
    pool: pool.name,
    isHealthy,
    state,
    inUse: inUseConnections,
    waiting: waitQueueSize,
    maxPoolSize,
    ...(reason !== undefined && { reason }),
  };
}

function reasonOf(pool: DatabasePool, state: PoolHealthState, answer?: PingAnswer): string {
  const { waitQueueSize, maxPoolSize } = pool.stats;
  if (state === 'saturated') return `${waitQueueSize} calls wait for one of ${maxPoolSize} sockets`;
  if (state === 'failed') return redactURI(messageOf(pool.failure), secretsOf(pool.config));
  if (state === 'unresponsive') return answer?.reason ?? 'no answer';
  return pool.refusal ?? 'no server has answered yet';
}
