/** The states of a pool; which may follow which is in `providers/pools/pool-state.ts`. */
export type PoolState = 'cold' | 'connecting' | 'connected' | 'draining' | 'closed';
