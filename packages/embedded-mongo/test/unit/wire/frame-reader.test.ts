import { describe, expect, it } from '@jest/globals';
import { FrameReader } from '../../../src/wire/frame-reader.js';

function frame(length: number, fill: number): Buffer {
  const bytes = Buffer.alloc(length, fill);
  bytes.writeInt32LE(length, 0);
  return bytes;
}

describe('FrameReader', () => {
  it('cuts the same frames from the stream however it is split', () => {
    const frames = [frame(16, 1), frame(40, 2), frame(20, 3)];
    const stream = Buffer.concat(frames);
    for (let size = 1; size <= stream.length; size++) {
      const reader = new FrameReader();
      const found: Buffer[] = [];
      for (let at = 0; at < stream.length; at += size) {
        reader.push(stream.subarray(at, at + size));
        for (let next = reader.next(48_000_000); next; next = reader.next(48_000_000)) found.push(next);
      }
      expect(found).toEqual(frames);
    }
  });

  it('knows how long a message is as soon as its header has come', () => {
    const reader = new FrameReader();
    const header = Buffer.alloc(16);
    header.writeInt32LE(40_000_000, 0);
    reader.push(header.subarray(0, 15));
    expect(reader.nextLength).toBeUndefined();
    reader.push(header.subarray(15));
    expect(reader.nextLength).toBe(40_000_000);
    expect(() => reader.next(16_384)).toThrow('message length 40000000 is out of range');
  });

  it.each([15, 0, -1, 48_000_001])('refuses a message of %i bytes', (length) => {
    const reader = new FrameReader();
    const header = Buffer.alloc(16);
    header.writeInt32LE(length, 0);
    reader.push(header);
    expect(() => reader.next(48_000_000)).toThrow(expect.objectContaining({ name: 'MalformedFrameError' }));
  });
});
