import { TenantConflictError } from './tenant.errors.js';
import type { TenantContext } from './tenant.context.js';
import { PolyMongoError } from '../../polymongo.errors.js';
import { pathOf } from './message.path.js';

/** A flow of BullMQ: a job, and those that it waits for. */
export interface JobFlow {
  /** The job's data: an object, into which the tenant is put. */
  data?: unknown;
  /** Flows that are done before it. */
  children?: readonly JobFlow[] | undefined;
}

/**
 * Puts the current tenant into messages that are sent by a `ClientProxy`, where the receiver's resolvers look for it. The
 * tenant is that of the call, whoever subscribes to what `send` gives. Each method throws a TenantMissingError where there
 * is no tenant, so that nothing is sent.
 * @example
 * client.send('orders.list', messages.inPayload({ page: 1 }, 'meta.tenant')); // TCP, Redis, MQTT
 * client.emit('orders.made', { value: order, headers: messages.inHeaders('x-tenant-id') }); // Kafka
 */
export class TenantMessages {
  /** @internal Made by Nest. */
  constructor(/** @internal */ readonly context: TenantContext) {}

  /**
   * A copy of the data with the tenant at a path of it, as `fromPayload(path)` reads it: TCP, Redis, MQTT; and as
   * `@WithJobTenant(path)` does: jobs of BullMQ and templates of its job schedulers.
   * @throws TenantMissingError without a tenant; TenantConflictError when another one is there
   * @throws PolyMongoError when there is no object to put it in
   */
  inPayload<T extends object>(data: T, path: string): T {
    return put(data, pathOf(path), this.context.require(), path) as T;
  }

  /**
   * A copy of a flow for BullMQ's `FlowProducer` with the tenant in the data of each of its jobs, as `inPayload` puts it.
   * @throws as inPayload
   */
  inFlow<F extends JobFlow>(flow: F, path: string): F {
    const { data = {}, children } = flow;
    return {
      ...flow,
      data: this.inPayload(data as object, path),
      ...(children && { children: children.map((child) => this.inFlow(child, path)) }),
    };
  }

  /**
   * Headers with the tenant: for Kafka's messages (`{ value, headers }`), for `RmqRecordBuilder.setOptions({ headers })`
   * and for the `userProperties` of MQTT 5.
   * @throws TenantMissingError without a tenant
   */
  inHeaders<H extends object = object>(name: string, headers?: H): H & Record<string, string> {
    return { ...headers, [name]: this.context.require() } as H & Record<string, string>;
  }

  /**
   * Sets the tenant in gRPC's `Metadata` or NATS' `headers()`, and gives that back.
   * @throws TenantMissingError without a tenant
   */
  into<H extends { set(name: string, value: string): unknown }>(name: string, holder: H): H {
    holder.set(name, this.context.require());
    return holder;
  }
}

function put(data: unknown, [key, ...rest]: readonly string[], tenantId: string, path: string): unknown {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new PolyMongoError(`The tenant cannot be put at ${path} of a message: there is no object to put it in.`);
  }
  const there: unknown = Object.hasOwn(data, key!) ? (data as Record<string, unknown>)[key!] : undefined;
  if (rest.length === 0 && there !== undefined && there !== tenantId) throw new TenantConflictError();
  return { ...data, [key!]: rest.length === 0 ? tenantId : put(there ?? {}, rest, tenantId, path) };
}
