import { describe, expect, test } from '@jest/globals';
import { Crc64 } from '../../../../lib/providers/bulk/codecs/crc64.js';

describe('CRC-64 as Go computes it with crc64.ECMA', () => {
  test.each([
    ['', 0n],
    ['123456789', 0x995dc9bbdf1939fan], // the check value of the catalogue of parametrised CRC algorithms
    ['This is a test of the emergency broadcast system.', 0x27db187fc15bbc72n],
  ])('of %j', (text, expected) => {
    expect(new Crc64().update(Buffer.from(text)).value).toBe(expected);
  });

  test('is the same in whatever pieces the bytes come', () => {
    const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 31) & 255));
    const pieces = new Crc64();
    for (let from = 0, size = 1; from < bytes.length; from += size, size = (size * 3) % 100_003) {
      pieces.update(bytes.subarray(from, from + size));
    }
    expect(pieces.value).toBe(new Crc64().update(bytes).value);
  });
});
