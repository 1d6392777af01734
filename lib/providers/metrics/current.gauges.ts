import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { OTHER, type BoundedLabels } from './bounded.labels.js';

/** The sockets of one pool, at the moment. */
export interface PoolGauges {
  readonly idle: number;
  readonly used: number;
  readonly pending: number;
  readonly max: number;
}

/** The commands of one tenant, at the moment. */
export interface TenantGauges {
  readonly running: number;
  readonly waiting: number;
}

/** By the label of the pool; of those without one of their own the sum. */
export function poolGauges({ primary, separate }: PolyMongoPools, labels: BoundedLabels): Map<string, PoolGauges> {
  const gauges = new Map<string, PoolGauges>();
  for (const pool of [primary, ...separate.values()]) {
    const { availableConnections, inUseConnections, waitQueueSize, maxPoolSize } = pool.stats;
    const label = labels.labelOf(pool.name);
    const sum = gauges.get(label) ?? { idle: 0, used: 0, pending: 0, max: 0 };
    gauges.set(label, {
      idle: sum.idle + availableConnections,
      used: sum.used + inUseConnections,
      pending: sum.pending + waitQueueSize,
      max: sum.max + maxPoolSize,
    });
  }
  return gauges;
}

/** The tenants with the most work at the moment, and what all others have together. */
export function tenantGauges(
  host: { readonly pools: PolyMongoPools; tenantOf(dbName: string): string | undefined },
  max: number,
): Map<string, TenantGauges> {
  const busy = [...host.pools.databases.values()]
    .filter(({ share }) => share.inFlight + share.waiting > 0)
    .map(({ name, share: { inFlight, waiting } }) => ({ id: host.tenantOf(name), running: inFlight, waiting }))
    .filter(({ id }) => id !== undefined)
    .sort((a, b) => b.running + b.waiting - (a.running + a.waiting));
  const gauges = new Map(busy.slice(0, max).map(({ id, running, waiting }) => [id!, { running, waiting }]));
  const rest = busy.slice(max);
  return gauges.set(OTHER, {
    running: rest.reduce((sum, { running }) => sum + running, 0),
    waiting: rest.reduce((sum, { waiting }) => sum + waiting, 0),
  });
}
