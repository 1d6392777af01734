import { CommandError } from '../errors.js';
import type { Doc } from './value.js';

/** MongoDB's error for a field that its command, stage or option does not know. */
export const unknownField = (owner: string, field: string): CommandError =>
  new CommandError(40415, `BSON field '${owner}.${field}' is an unknown field.`);

/** @throws CommandError 40415 for a field of `fields` that is not among `known` */
export function assertKnownFields(fields: Doc, owner: string, known: readonly string[]): void {
  for (const field of fields.keys()) if (!known.includes(field)) throw unknownField(owner, field);
}
