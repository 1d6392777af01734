import { extractField } from '../bson/field.js';
import { packDescription, type UpdateDescription } from '../query/update/description.js';
import type { Collection } from './collection.js';
import type { PendingChange } from './oplog.js';

/** What the oplog is told of a new record. */
export const insertChange = ({ ns, uuid }: Collection, after: Uint8Array): PendingChange => ({
  op: 'insert',
  ns,
  uuid,
  after,
});

/** What it is told of a changed one; without a description it was replaced. */
export function updateChange(
  { ns, uuid, hasPreImages }: Collection,
  before: Uint8Array,
  after: Uint8Array,
  description: UpdateDescription | undefined,
): PendingChange {
  const preImage = hasPreImages ? before : undefined;
  if (!description) return { op: 'replace', ns, uuid, after, preImage };
  return {
    op: 'update',
    ns,
    uuid,
    documentKey: extractField(after, '_id')!,
    description: packDescription(description),
    preImage,
    postImage: hasPreImages ? after : undefined,
  };
}

/** What it is told of one that was deleted. */
export const deleteChange = ({ ns, uuid, hasPreImages }: Collection, before: Uint8Array): PendingChange => ({
  op: 'delete',
  ns,
  uuid,
  documentKey: extractField(before, '_id')!,
  preImage: hasPreImages ? before : undefined,
});
