import type { Span, Tracer } from '@opentelemetry/api';
import type { OperationObserver } from '../providers/databases/operation.observers.js';
import { failureOf } from '../providers/metrics/error.type.js';
import { commandOf } from '../providers/metrics/operation.names.js';
import { attributesOf, failureAttributes, rootAttributes } from './attributes.js';

type Api = typeof import('@opentelemetry/api');

/**
 * A span for each operation, active while it runs: its parent is the span it was called in, and what it calls is under it.
 * Whether it is recorded is up to the application's sampler.
 * @see https://opentelemetry.io/docs/specs/semconv/db/database-spans/
 */
export function traceOperations(
  { SpanKind, SpanStatusCode }: Api,
  tracer: Tracer,
  tenantOf: (dbName: string) => string | undefined,
  root: string | undefined,
): OperationObserver {
  const shared = rootAttributes(root);
  return ({ method, database, collection, pool }, run) => {
    const operation = commandOf(method);
    const attributes = {
      ...attributesOf({ namespace: database, collection, operation, tenant: tenantOf(database) }),
      'db.client.connection.pool.name': pool,
      ...shared,
    };
    const name = `${operation} ${collection ?? database}`;
    return tracer.startActiveSpan(name, { kind: SpanKind.CLIENT, attributes }, async (span: Span) => {
      try {
        return await run();
      } catch (error) {
        span.setAttributes(failureAttributes(failureOf(error)));
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    });
  };
}
