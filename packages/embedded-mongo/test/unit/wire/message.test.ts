import { describe, expect, it } from '@jest/globals';
import { deserialize, serialize } from 'bson';
import { crc32c } from '../../../src/wire/crc32c.js';
import { msgReply, parseMessage } from '../../../src/wire/message.js';

const OP_MSG = 2013;

function opMsg(sections: Uint8Array[], flags = 0): Buffer {
  const frame = Buffer.concat([Buffer.alloc(20), ...sections]);
  frame.writeInt32LE(frame.length, 0);
  frame.writeInt32LE(7, 4);
  frame.writeInt32LE(OP_MSG, 12);
  frame.writeUInt32LE(flags, 16);
  return frame;
}

const body = (document: object): Buffer => Buffer.concat([Buffer.of(0), serialize(document)]);

function sequence(name: string, documents: object[]): Buffer {
  const content = Buffer.concat([Buffer.from(`${name}\0`), ...documents.map((document) => serialize(document))]);
  const head = Buffer.alloc(5);
  head[0] = 1;
  head.writeInt32LE(content.length + 4, 1);
  return Buffer.concat([head, content]);
}

describe('parseMessage', () => {
  it('reads a body and the document sequences beside it', () => {
    const message = parseMessage(opMsg([body({ insert: 'a' }), sequence('documents', [{ n: 1 }, { n: 2 }])]));
    expect(message.requestId).toBe(7);
    expect(deserialize(message.body)).toEqual({ insert: 'a' });
    expect(message.sequences.get('documents')?.map((document) => deserialize(document))).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it('knows moreToCome and exhaustAllowed', () => {
    expect(parseMessage(opMsg([body({})], 2))).toMatchObject({ isUnacknowledged: true, isExhaustAllowed: false });
    expect(parseMessage(opMsg([body({})], 1 << 16))).toMatchObject({ isUnacknowledged: false, isExhaustAllowed: true });
  });

  it('verifies a checksum', () => {
    const unsigned = opMsg([body({ ping: 1 })], 1);
    const frame = Buffer.concat([unsigned, Buffer.alloc(4)]);
    frame.writeInt32LE(frame.length, 0);
    frame.writeUInt32LE(crc32c(frame.subarray(0, -4)), frame.length - 4);
    expect(deserialize(parseMessage(frame).body)).toEqual({ ping: 1 });
    frame[frame.length - 1]! ^= 1;
    expect(() => parseMessage(frame)).toThrow('checksum');
  });

  it.each<[string, () => Buffer]>([
    ['an unknown required flag', () => opMsg([body({})], 4)],
    ['no body', () => opMsg([])],
    ['two bodies', () => opMsg([body({}), body({})])],
    ['an unknown section', () => opMsg([Buffer.of(2)])],
    ['a sequence given twice', () => opMsg([body({}), sequence('a', []), sequence('a', [])])],
    ['a document longer than its message', () => opMsg([Buffer.of(0, 99, 0, 0, 0, 0)])],
    [
      'OP_COMPRESSED, which was never agreed on',
      () => {
        const frame = opMsg([body({})]);
        frame.writeInt32LE(2012, 12);
        return frame;
      },
    ],
  ])('refuses %s', (_what, frame) => {
    expect(() => parseMessage(frame())).toThrow(expect.objectContaining({ name: 'MalformedFrameError' }));
  });
});

describe('msgReply', () => {
  it('answers a request by its id, and may promise more', () => {
    const reply = msgReply(3, 7, [serialize({ ok: 1 })], true);
    expect(reply.readInt32LE(8)).toBe(7);
    expect(reply.readUInt32LE(16)).toBe(2);
    expect(deserialize(reply.subarray(21))).toEqual({ ok: 1 });
  });
});

it('crc32c gives the check value of the standard', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
});
