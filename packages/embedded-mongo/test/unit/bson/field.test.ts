import { expect, test } from '@jest/globals';
import * as bson from 'bson';
import { decodeDoc } from '../../../src/bson/decode.js';
import { encodeDoc } from '../../../src/bson/encode.js';
import { decodeField } from '../../../src/bson/field.js';

test('decodeField skips over fields of every type to the one asked for', () => {
  const source = bson.serialize({
    s: 'x',
    d: new bson.Double(1),
    o: { last: 0 },
    a: [1],
    b: new bson.Binary(new Uint8Array(3)),
    n: null,
    t: true,
    when: new Date(0),
    re: new bson.BSONRegExp('a', 'i'),
    c: new bson.Code('x'),
    cs: new bson.Code('x', { y: 1 }),
    i: 1,
    l: bson.Long.fromNumber(1),
    ts: new bson.Timestamp(1n),
    dec: new bson.Decimal128('1'),
    id: new bson.ObjectId(),
    lo: new bson.MinKey(),
    hi: new bson.MaxKey(),
    sym: new bson.BSONSymbol('x'),
    last: 'found',
  });
  expect(decodeField(source, 'last')).toBe('found');
  expect(decodeField(source, 'las')).toBeUndefined();
  for (const [name, value] of decodeDoc(source)) {
    expect(encodeDoc(new Map([[name, decodeField(source, name)!]]))).toEqual(encodeDoc(new Map([[name, value]])));
  }
});
