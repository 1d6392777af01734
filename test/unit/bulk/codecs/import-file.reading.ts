import { deserialize } from 'bson';
import type { ImportEvent } from '../../../../lib/providers/bulk/codecs/import.events.js';
import {
  readImportEvents,
  type ReadImportOptions,
} from '../../../../lib/providers/bulk/codecs/import.events.reader.js';

export interface ReadCollection {
  documents: Buffer[];
  byteOffsets: number[];
  properties: Record<string, unknown>;
  rejected: { documentNumber: number; byteOffset?: number; error: Error }[];
  isEnded: boolean;
}

/** Everything a file holds, by collection. */
export async function readAll(
  file: Uint8Array | readonly Uint8Array[],
  options?: ReadImportOptions,
): Promise<{ properties: Record<string, unknown>; collections: Record<string, ReadCollection> }> {
  const result = { properties: {} as Record<string, unknown>, collections: {} as Record<string, ReadCollection> };
  const chunks = file instanceof Uint8Array ? [file] : file;
  for await (const event of readImportEvents(chunks, { minChunkBytes: 0, ...options })) take(event, result);
  return result;
}

const valueOf = (bytes: Uint8Array): unknown => deserialize(bytes, { promoteValues: false })[''];

function take(event: ImportEvent, result: Awaited<ReturnType<typeof readAll>>): void {
  if (event.kind === 'property') {
    result.properties[event.name] = valueOf(event.value);
    return;
  }
  const collection = (result.collections[event.collection] ??= {
    ...{ documents: [], byteOffsets: [], properties: {}, rejected: [], isEnded: false },
  });
  if (event.kind === 'collectionProperty') collection.properties[event.name] = valueOf(event.value);
  if (event.kind === 'rejected') collection.rejected.push(event);
  if (event.kind === 'collectionEnd') collection.isEnded = true;
  if (event.kind === 'documents') {
    if (event.batch.firstNumber !== collection.documents.length + collection.rejected.length + 1) {
      throw new Error(`documents are numbered from ${event.batch.firstNumber}`);
    }
    const bytes = Buffer.from(event.batch.bytes);
    for (let at = 0; at < bytes.length; at += bytes.readInt32LE(at)) {
      collection.documents.push(bytes.subarray(at, at + bytes.readInt32LE(at)));
    }
    collection.byteOffsets.push(...event.batch.byteOffsets);
  }
}

/** The bytes in chunks cut at the given places. */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((end, i) => bytes.subarray(sorted[i], end));
}
