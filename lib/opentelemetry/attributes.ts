import type { Attributes } from '@opentelemetry/api';
import type { Failure } from '../providers/metrics/error.type.js';
import type { OperationLabels } from '../providers/metrics/operation.labels.js';

/** The attributes of an operation by the conventions, and `polymongo.tenant`. */
export const attributesOf = (
  { namespace, collection, operation, tenant }: OperationLabels,
  failure?: Failure,
): Attributes => ({
  'db.system.name': 'mongodb',
  'db.namespace': namespace,
  'db.operation.name': operation,
  ...(collection !== undefined && { 'db.collection.name': collection }),
  ...(tenant !== undefined && { 'polymongo.tenant': tenant }),
  ...(failure && failureAttributes(failure)),
});

/** What an operation failed with; never what it said, which may quote a document. */
export const failureAttributes = ({ type, code }: Failure): Attributes => ({
  'error.type': type,
  ...(code !== undefined && { 'db.response.status_code': code }),
});

/** What tells the roots of an application apart: the tenant of one is not that of another. */
export const rootAttributes = (root: string | undefined): Attributes =>
  root === undefined ? {} : { 'polymongo.root': root };
