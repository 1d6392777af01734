import { describe, expect, test } from '@jest/globals';
import * as bson from 'bson';
import * as fc from 'fast-check';
import { endOfDocument } from '../../../../lib/providers/bulk/codecs/bson-validation.js';
import { parseCanonicalJson } from '../../../../lib/providers/bulk/codecs/canonical-json.reader.js';
import { haveIdsFirst, withIdFirst } from '../../../../lib/providers/bulk/raw/raw-document.js';
import { ARCHIVE_MAGIC } from '../../../../lib/providers/bulk/codecs/archive.format.js';
import { bsonDocument } from './bson.arbitrary.js';
import { readAll } from './import-file.reading.js';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const refusal = (work: () => unknown) => {
  try {
    return work();
  } catch (error) {
    return (error as Error).message;
  }
};

describe('the lengths inside BSON', () => {
  test('are right in any document', () => {
    fc.assert(
      fc.property(bsonDocument, (document) => {
        expect(endOfDocument(Buffer.concat([Buffer.alloc(3), document]), 3, 3 + document.length)).toBe(
          3 + document.length,
        );
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['a document that is longer than its place', '06000000 00'],
    ['a document that ends before its length', '07000000 00 0000'],
    ['a string of length -7', '11000000 02 6100 f9ffffff 000000000000'],
    ['a string of length 0', '0c000000 02 6100 00000000 00'],
    ['a string without its NUL', '0e000000 02 6100 02000000 6161 00'],
    ['binary data of length -5', '0d000000 05 6100 fbffffff 00 00'],
    ['a document inside of length -3', '0d000000 03 6100 fdffffff 0000'],
    ['an array over the end', '0d000000 04 6100 06000000 00 00'],
    ['code with scope of length 0', '16000000 0f 6100 00000000 01000000 00 05000000 00'],
    ['code with scope that is longer than its parts', '18000000 0f 6100 0f000000 01000000 00 05000000 00 0000'],
    ['a regular expression without its end', '0a000000 0b 6100 6100 00'],
    ['a field name without its end', '07000000 0a 61 00'],
    ['a boolean of 2', '09000000 08 6100 02 00'],
    ['an unknown type', '08000000 14 6100 00'],
    ['a number over the end', '0a000000 10 6100 0000 00'],
  ])('%s is refused, in an archive and in the base64 of an export', async (_, text) => {
    const document = hex(text);
    expect(() => endOfDocument(document, 0, document.length)).toThrow(
      expect.objectContaining({ name: 'InvalidBsonError' }),
    );
    await expect(readAll(Buffer.concat([ARCHIVE_MAGIC, document]))).rejects.toMatchObject({ name: 'BulkFormatError' });
    for (const escape of [
      `{"$polymongoBson":"${document.toString('base64')}"}`,
      `{"a":{"$polymongoBson":"${document.toString('base64')}"}}`,
    ]) {
      expect(() => parseCanonicalJson(escape)).toThrow(expect.objectContaining({ name: 'InvalidJsonError' }));
    }
  });

  test.each([
    ['{"$code":"","$scope":', 500, 'nest deeper'],
    ['{"a":{"$code":"","$scope":', 500, 'nest deeper'],
    ['{"$scope":', 201, 'nest deeper'],
    ['{"$dbPointer":', 100_000, '$dbPointer has no $dbPointer'],
  ])('%s again and again is refused at once', (opening, times, reason) => {
    const closing = '}'.repeat(times * opening.split('{').length);
    expect(refusal(() => parseCanonicalJson(`{"x":${opening.repeat(times)}{}${closing}}`))).toContain(reason);
  });

  test('count the documents around one that is written in base64', () => {
    const deep = (levels: number): object => (levels === 0 ? {} : { a: deep(levels - 1) });
    const escape = (levels: number) =>
      `{"$polymongoBson":"${Buffer.from(bson.serialize(deep(levels))).toString('base64')}"}`;
    expect(() => parseCanonicalJson(`{"a":{"b":${escape(197)}}}`)).not.toThrow();
    expect(refusal(() => parseCanonicalJson(`{"a":{"b":${escape(198)}}}`))).toContain('nest deeper');
  });
});

describe('code with a scope', () => {
  test.each(['{"a":{"$code":"f","$scope":{"b":null}}}', '{"a":{"$scope":{"b":null},"$code":"f"}}'])(
    'is read from %s',
    (text) => {
      expect(bson.deserialize(parseCanonicalJson(text))).toEqual({ a: new bson.Code('f', { b: null }) });
    },
  );

  test('is not read from documents that only look like it', () => {
    const read = (text: string) => bson.deserialize(parseCanonicalJson(text));
    expect(read('{"a":{"$scope":{"b":1}}}')).toEqual({ a: { $scope: { b: 1 } } });
    expect(read('{"a":{"$scope":1,"$code2":"f"}}')).toEqual({ a: { $scope: 1, $code2: 'f' } });
    expect(read('{"a":{"$code":"f","$scope":{"$oid":"x"}}}')).toEqual({ a: new bson.Code('f', { $oid: 'x' }) });
  });
});

test('an empty document is given an _id whatever the length of the one after it', () => {
  const [empty, lengthThatReadsAsId] = [hex('05000000 00'), Buffer.from('_id\0')];
  expect(haveIdsFirst(Buffer.concat([empty, lengthThatReadsAsId]))).toBe(false);
  expect(bson.deserialize(withIdFirst(empty, 'c:1'))).toEqual({ _id: expect.any(bson.ObjectId) });
});
