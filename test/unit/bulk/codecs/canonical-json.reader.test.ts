import { describe, expect, test } from '@jest/globals';
import * as bson from 'bson';
import { EJSON } from 'bson';
import { parseCanonicalJson } from '../../../../lib/providers/bulk/codecs/canonical-json.reader.js';

const read = (text: string) => bson.deserialize(parseCanonicalJson(text), { promoteValues: false, bsonRegExp: true });

describe('Extended JSON text', () => {
  test.each([
    '{"a":{"$date":"2020-02-29T12:00:00.5Z"}}',
    '{"a":{"$date":"2020-02-29T12:00:00+02:00"}}',
    '{"a":{"$uuid":"c8edabc3-f738-4ca3-b68d-ab92a91478a3"}}',
    '{"a":{"$binary":{"subType":"80","base64":"//8="}}}',
    '{"a":{"$regularExpression":{"options":"i","pattern":"x"}}}',
    '{"a":{"$code":"f","$scope":{"b":{"$numberInt":"1"}}}}',
    '{"a":{"$numberDouble":"1.7976931348623157e308"},"b":{"$numberDouble":"4.9E-324"}}',
    '{"a":{"$numberDecimal":"1234567890123456789012345678901234"},"b":{"$numberDecimal":"-0E-6176"}}',
    '{"a":{"$ref":"c","$id":{"$oid":"5f0000000000000000000001"}}}',
    ' { "a" : [ { "$numberLong" : "-9223372036854775808" } , null , true ] , "b" : { } , "c" : [ ] } ',
  ])('%s is what EJSON.parse makes of it', (text) => {
    const expected = bson.serialize(EJSON.parse(text, { relaxed: false }), { ignoreUndefined: false });
    expect(parseCanonicalJson(text).toString('hex')).toBe(Buffer.from(expected).toString('hex'));
  });

  test('relaxed numbers take the smallest type that holds them exactly', () => {
    const { list } = read('{"list":[1,-2147483648,2147483648,9223372036854775807,9223372036854775808,1.0,1e2,-0]}') as {
      list: { _bsontype: string }[];
    };
    expect(list.map((value) => value._bsontype)).toEqual([
      'Int32',
      'Int32',
      'Long',
      'Long',
      'Double',
      'Double',
      'Double',
      'Double', // prettier-ignore
    ]);
  });

  test('keeps field order, duplicate names and integer-like names', () => {
    expect(parseCanonicalJson('{"b":null,"1":null,"b":null,"__proto__":null,"":null}').toString('latin1', 4)).toBe(
      '\x0ab\0\x0a1\0\x0ab\0\x0a__proto__\0\x0a\0\0',
    );
  });

  test('reads the legacy forms of regular expressions, binaries and dates', () => {
    expect(read('{"a":{"$regex":"x","$options":"i"}}')).toEqual({ a: new bson.BSONRegExp('x', 'i') });
    expect(read('{"a":{"$binary":"//8=","$type":"05"}}')).toEqual({ a: new bson.Binary(Buffer.from([255, 255]), 5) });
    expect(read('{"a":{"$date":1000}}')).toEqual({ a: new Date(1000) });
    expect(read('{"a":{"$regex":{"b":"stored query"}}}')).toEqual({ a: { $regex: { b: 'stored query' } } });
  });

  test.each([
    ['{"a":}', 5, 'expected a value'],
    ['{"a":1', 6, 'ends inside'],
    ['{"a":1} x', 7, 'text follows'],
    ['{"a":01}', 5, 'not a number'],
    ['{"a":"\u0001"}', 6, 'control character'],
    ['{"a":"\\ud800"}', 6, 'surrogate'],
    ['{"a\\u0000":1}', 2, 'NUL'],
    ['{"a":{"$oid":"xyz"}}', 14, '24 hexadecimal'],
    ['{"a":{"$numberInt":"2147483648"}}', 20, 'int32'],
    ['{"a":{"$numberLong":"9223372036854775808"}}', 21, 'int64'],
    ['{"a":{"$oid":"5f0000000000000000000001","b":1}}', 39, 'no further keys'],
    ['{"a":{"$binary":{"base64":"?","subType":"00"}}}', 16, 'base64'],
    ['[1]', 0, 'begins with {'],
    [`${'{"a":'.repeat(201)}1`, 1001, 'nest deeper'],
  ])('%s is refused at byte %i', (text, position, reason) => {
    expect(() => parseCanonicalJson(text)).toThrow(
      expect.objectContaining({ name: 'InvalidJsonError', position, message: expect.stringContaining(reason) }),
    );
  });

  test('text that is not UTF-8 is refused', () => {
    expect(() => parseCanonicalJson(Buffer.from('{"a":"\xff"}', 'latin1'))).toThrow('not UTF-8');
  });

  test('a document over 16 MB is refused', () => {
    expect(() => parseCanonicalJson(`{"a":"${'x'.repeat(16 * 1024 * 1024)}"}`)).toThrow('larger than 16777216 bytes');
  });
});
