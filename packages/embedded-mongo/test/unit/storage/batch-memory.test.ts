import { describe, expect, it } from '@jest/globals';
import { BatchMemory } from '../../../src/storage/batch-memory.js';

const KB = 1024;

const documents = (sizes: readonly number[]): Uint8Array[] =>
  sizes.map((size, i) => new Uint8Array(size).fill(i % 256));

function copyAll(batch: readonly Uint8Array[]): Buffer[] {
  const memory = new BatchMemory(batch.reduce((sum, { length }) => sum + length, 0));
  return batch.map((document) => memory.copy(document));
}

const piecesOf = (copies: readonly Buffer[]): ArrayBufferLike[] => [...new Set(copies.map(({ buffer }) => buffer))];

describe('BatchMemory', () => {
  it('gives copies that later ones leave alone', () => {
    const batch = documents([5, 16 * KB, 300, 100 * KB, 7, 9_000, 9_000]);
    const copies = copyAll(batch);
    for (const document of batch) document.fill(0xee);
    copies.forEach((copy, i) => expect(copy.every((byte) => byte === i)).toBe(true));
    expect(copies.map(({ length }) => length)).toEqual(batch.map(({ length }) => length));
  });

  it('keeps small documents together, in pieces of 16 KB that one of them cannot hold more than', () => {
    const pieces = piecesOf(copyAll(documents(Array.from({ length: 1000 }, () => KB))));
    expect(pieces).toHaveLength(63);
    expect(Math.max(...pieces.map(({ byteLength }) => byteLength))).toBe(16 * KB);
  });

  it('takes no more than the documents need: one alone, a large one, the rest of a batch', () => {
    const sizes = (copies: readonly Buffer[]) => piecesOf(copies).map(({ byteLength }) => byteLength);
    expect(sizes(copyAll(documents([40])))).toEqual([40]);
    expect(sizes(copyAll(documents([50 * KB])))).toEqual([50 * KB]);
    expect(sizes(copyAll(documents([10 * KB, 10 * KB])))).toEqual([16 * KB, 10 * KB]);
  });
});
