import type { RequestMessage } from '../commands/request.js';
import { crc32c } from './crc32c.js';
import { HEADER_LENGTH } from './frame-reader.js';
import { MalformedFrameError } from './wire.errors.js';

/** MongoDB wire protocol, "Opcodes" in the manual. */
const OpCode = { REPLY: 1, QUERY: 2004, COMPRESSED: 2012, MSG: 2013 } as const;

const Flag = { CHECKSUM_PRESENT: 1, MORE_TO_COME: 2, EXHAUST_ALLOWED: 1 << 16 } as const;
/** Bits 0–15 must be understood; the rest are optional. */
const REQUIRED_FLAGS = 0xffff;
const KNOWN_REQUIRED_FLAGS = Flag.CHECKSUM_PRESENT | Flag.MORE_TO_COME;
const CHECKSUM_LENGTH = 4;
const MIN_DOCUMENT_LENGTH = 5;

const NO_SEQUENCES: ReadonlyMap<string, Uint8Array[]> = new Map();

/** @throws MalformedFrameError */
export function parseMessage(frame: Buffer): RequestMessage {
  const opCode = frame.readInt32LE(12);
  if (opCode === OpCode.MSG) return parseMsg(frame);
  if (opCode === OpCode.QUERY) return parseQuery(frame);
  throw new MalformedFrameError(`opcode ${opCode} is not supported`);
}

function parseMsg(frame: Buffer): RequestMessage {
  if (frame.length < HEADER_LENGTH + 4) throw new MalformedFrameError('OP_MSG without flags');
  const flags = frame.readUInt32LE(HEADER_LENGTH);
  if (flags & REQUIRED_FLAGS & ~KNOWN_REQUIRED_FLAGS) {
    throw new MalformedFrameError(`OP_MSG has illegal flags ${flags.toString(2)}`);
  }
  const end = flags & Flag.CHECKSUM_PRESENT ? verifyChecksum(frame) : frame.length;
  let body: Uint8Array | undefined;
  let sequences: Map<string, Uint8Array[]> | undefined;
  let at = HEADER_LENGTH + 4;
  while (at < end) {
    const kind = frame[at]!;
    at += 1;
    if (kind === 0) {
      if (body) throw new MalformedFrameError('OP_MSG has two bodies');
      body = documentAt(frame, at, end);
      at += body.length;
    } else if (kind === 1) {
      const sequenceEnd = at + lengthAt(frame, at, end, 'document sequence');
      const nameEnd = frame.indexOf(0, at + 4);
      if (nameEnd < 0 || nameEnd >= sequenceEnd) throw new MalformedFrameError('document sequence without a name');
      const name = frame.toString('utf8', at + 4, nameEnd);
      const documents: Uint8Array[] = [];
      for (at = nameEnd + 1; at < sequenceEnd;) {
        const document = documentAt(frame, at, sequenceEnd);
        documents.push(document);
        at += document.length;
      }
      sequences ??= new Map();
      if (sequences.has(name)) throw new MalformedFrameError(`two document sequences are named ${name}`);
      sequences.set(name, documents);
    } else {
      throw new MalformedFrameError(`OP_MSG section of unknown kind ${kind}`);
    }
  }
  if (!body) throw new MalformedFrameError('OP_MSG without a body');
  return {
    requestId: frame.readInt32LE(4),
    isLegacy: false,
    isUnacknowledged: (flags & Flag.MORE_TO_COME) !== 0,
    isExhaustAllowed: (flags & Flag.EXHAUST_ALLOWED) !== 0,
    body,
    sequences: sequences ?? NO_SEQUENCES,
  };
}

/** OP_QUERY, which drivers still send for the first hello of a connection: `<db>.$cmd`, skip, limit, query. */
function parseQuery(frame: Buffer): RequestMessage {
  const nameEnd = frame.indexOf(0, HEADER_LENGTH + 4);
  if (nameEnd < 0) throw new MalformedFrameError('OP_QUERY without a collection name');
  const namespace = frame.toString('utf8', HEADER_LENGTH + 4, nameEnd);
  if (!namespace.endsWith('.$cmd')) throw new MalformedFrameError('OP_QUERY is only supported for commands');
  return {
    requestId: frame.readInt32LE(4),
    isLegacy: true,
    isUnacknowledged: false,
    isExhaustAllowed: false,
    body: documentAt(frame, nameEnd + 9, frame.length),
    sequences: NO_SEQUENCES,
    legacyDatabase: namespace.slice(0, -'.$cmd'.length),
  };
}

function verifyChecksum(frame: Buffer): number {
  const end = frame.length - CHECKSUM_LENGTH;
  if (end < HEADER_LENGTH + 4 || frame.readUInt32LE(end) !== crc32c(frame.subarray(0, end))) {
    throw new MalformedFrameError('OP_MSG checksum does not match');
  }
  return end;
}

function documentAt(frame: Buffer, at: number, end: number): Uint8Array {
  const length = lengthAt(frame, at, end, 'document');
  if (length < MIN_DOCUMENT_LENGTH || frame[at + length - 1] !== 0) {
    throw new MalformedFrameError('document is not terminated');
  }
  return frame.subarray(at, at + length);
}

function lengthAt(frame: Buffer, at: number, end: number, what: string): number {
  const length = at + 4 <= end ? frame.readInt32LE(at) : -1;
  if (length < 4 || at + length > end) throw new MalformedFrameError(`${what} runs past the end of its message`);
  return length;
}

/** An OP_MSG reply; `isMoreToCome` marks every reply of an exhaust stream but the last. */
export function msgReply(
  requestId: number,
  responseTo: number,
  body: readonly Uint8Array[],
  isMoreToCome: boolean,
): Buffer {
  const length = body.reduce((sum, part) => sum + part.length, HEADER_LENGTH + 5);
  const reply = Buffer.allocUnsafe(length);
  writeHeader(reply, requestId, responseTo, OpCode.MSG);
  reply.writeUInt32LE(isMoreToCome ? Flag.MORE_TO_COME : 0, HEADER_LENGTH);
  reply[HEADER_LENGTH + 4] = 0;
  copyInto(reply, HEADER_LENGTH + 5, body);
  return reply;
}

/** An OP_REPLY of one document, the answer to an OP_QUERY. */
export function legacyReply(requestId: number, responseTo: number, body: readonly Uint8Array[]): Buffer {
  const AWAIT_CAPABLE = 8;
  const length = body.reduce((sum, part) => sum + part.length, HEADER_LENGTH + 20);
  const reply = Buffer.allocUnsafe(length);
  writeHeader(reply, requestId, responseTo, OpCode.REPLY);
  reply.writeInt32LE(AWAIT_CAPABLE, HEADER_LENGTH);
  reply.fill(0, HEADER_LENGTH + 4, HEADER_LENGTH + 16); // cursorId, startingFrom
  reply.writeInt32LE(1, HEADER_LENGTH + 16);
  copyInto(reply, HEADER_LENGTH + 20, body);
  return reply;
}

function writeHeader(reply: Buffer, requestId: number, responseTo: number, opCode: number): void {
  reply.writeInt32LE(reply.length, 0);
  reply.writeInt32LE(requestId, 4);
  reply.writeInt32LE(responseTo, 8);
  reply.writeInt32LE(opCode, 12);
}

function copyInto(reply: Buffer, at: number, parts: readonly Uint8Array[]): void {
  for (const part of parts) {
    reply.set(part, at);
    at += part.length;
  }
}
