import type { RawBatch } from './raw-batch.js';
import { COMMAND_BYTES } from './raw-command.js';

/** A document the server refused. */
export interface RefusedDocument {
  /** Its place in the batch. */
  readonly index: number;
  readonly code: number;
  readonly message: string;
}

/** What became of a batch. */
export interface WriteOutcome {
  readonly inserted: number;
  /** Bytes of those inserted. */
  readonly bytes: number;
  /** Places in the batch of documents that were there already, byte for byte or, with `keepExisting`, by their `_id`. */
  readonly existing: readonly number[];
  readonly refused: readonly RefusedDocument[];
  /** What ended it: from place `index` on nothing is surely written. */
  readonly failure?: { readonly index: number; readonly error: unknown };
}

interface PartOptions {
  /** Stop at the first document that is refused. */
  readonly isOrdered: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Writes a batch in as many commands as it takes, one after the other. @throws the signal's reason */
export async function inParts(
  batch: RawBatch,
  { isOrdered, signal }: PartOptions,
  write: (part: RawBatch) => Promise<WriteOutcome>,
): Promise<WriteOutcome> {
  const outcome = { inserted: 0, bytes: 0, existing: [] as number[], refused: [] as RefusedDocument[] };
  if (batch.length === 0) return outcome;
  let first = 0;
  for (const part of batch.parts(COMMAND_BYTES)) {
    try {
      const { inserted, bytes, existing, refused } = await write(part);
      outcome.inserted += inserted;
      outcome.bytes += bytes;
      for (const index of existing) outcome.existing.push(first + index);
      for (const each of refused) outcome.refused.push({ ...each, index: first + each.index });
      if (isOrdered && refused.length > 0) break;
    } catch (error) {
      signal?.throwIfAborted();
      return { ...outcome, failure: { index: first, error } };
    }
    first += part.length;
  }
  return outcome;
}
