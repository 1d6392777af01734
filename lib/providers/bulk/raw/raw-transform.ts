import type { BulkSelection } from '../bulk.types.js';
import { decodeRaw, encodeRaw } from './raw-document.js';

/** The documents a transform makes of a batch; without one the batch as it is. */
export async function transformed(
  batch: Buffer[],
  collection: string,
  transform: BulkSelection['transform'],
): Promise<Buffer[]> {
  if (!transform) return batch;
  const documents: Buffer[] = [];
  for (const document of batch) {
    const result = await transform(decodeRaw(document), collection);
    if (result != null) documents.push(encodeRaw(result));
  }
  return documents;
}
