import type { ObservedOperation } from '../databases/operation.observers.js';
import { PoolQueueTimeoutError } from '../pools/pool.errors.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import { BoundedLabels } from './bounded.labels.js';
import { failureOf, type Failure } from './error.type.js';
import { OperationLabelling, type OperationLabels } from './operation.labels.js';
import { poolGauges, tenantGauges, type PoolGauges, type TenantGauges } from './current.gauges.js';
import { followSockets, type SocketListener } from './socket.times.js';
import { resolveTelemetry, type TelemetryOptions } from './telemetry.options.js';

const MAX_POOLS = 100;

/** Where measurements go. */
export interface TelemetrySink extends SocketListener {
  /** An operation has ended, for good or with a failure. */
  operated(labels: OperationLabels, seconds: number, failure: Failure | undefined): void;
}

/** What is measured. */
export interface TelemetryHost {
  readonly pools: PolyMongoPools;
  tenantOf(dbName: string): string | undefined;
}

/** Measures the operations and sockets of all pools, under labels whose number has a bound. */
export class ClientTelemetry {
  readonly #maxTenants: number;
  readonly #operations: OperationLabelling;
  readonly #pools = new BoundedLabels(MAX_POOLS);

  /** @throws PolyMongoOptionsError */
  constructor(
    readonly host: TelemetryHost,
    options: TelemetryOptions,
  ) {
    const resolved = resolveTelemetry(options);
    this.#maxTenants = resolved.maxTenants;
    this.#operations = new OperationLabelling((name) => host.tenantOf(name), resolved);
  }

  /** The sockets of each pool now, by its label. */
  ofPools(): Map<string, PoolGauges> {
    return poolGauges(this.host.pools, this.#pools);
  }

  /** The work of the tenants that have the most of it now, and of all others together. */
  ofTenants(): Map<string, TenantGauges> {
    return tenantGauges(this.host, this.#maxTenants);
  }

  /** Tells `sink` of all that happens from now on. Gives the function that ends it. */
  measure(sink: TelemetrySink): () => void {
    const counted = new WeakSet<Error>();
    const observe = async <T>(operation: ObservedOperation, run: () => Promise<T>): Promise<T> => {
      const began = performance.now();
      let failure: Failure | undefined;
      try {
        return await run();
      } catch (error) {
        failure = failureOf(error);
        if (error instanceof PoolQueueTimeoutError && !counted.has(error)) {
          counted.add(error); // an operation may be part of another one
          sink.timedOut(this.#pools.labelOf(operation.pool));
        }
        throw error;
      } finally {
        sink.operated(this.#operations.of(operation), (performance.now() - began) / 1e3, failure);
      }
    };
    const { pools } = this.host;
    const ends = [pools.onOperation(observe), followSockets(pools, this.#pools, sink)];
    return () => {
      for (const end of ends) end();
    };
  }
}
