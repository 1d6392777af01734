import { describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { once } from 'node:events';
import { serialize } from 'bson';
import type mongoose from 'mongoose';
import type { EmbeddedMongo } from 'embedded-mongo';
import { useOwnServer } from '../support/connected.js';

/** CI sends 100,000. */
const FRAMES = Number(process.env.FUZZ_FRAMES ?? 100_000);
const SENDERS = 8;
const FRAMES_PER_CONNECTION = 20;
const HEADER_LENGTH = 16;
const MSG_HEAD_LENGTH = 21;

const COMMANDS = 'find insert update delete aggregate hello getMore count distinct findAndModify create createIndexes \
listCollections listIndexes explain collMod saslStart saslContinue endSessions commitTransaction dropIndexes'.split(
  ' ',
);
const FIELDS =
  'filter documents updates deletes pipeline cursor batchSize limit sort projection query update key indexes \
lsid txnNumber autocommit startTransaction readConcern writeConcern collation hint let maxTimeMS upsert apiVersion'.split(
    ' ',
  );
const VALUES = [
  1,
  -1,
  'x',
  null,
  true,
  [],
  {},
  NaN,
  /x/,
  '$a',
  { $gt: 1 },
  { $set: { a: 1 } },
  [{ $match: {} }],
  [{ q: {}, u: {} }],
];

/** A generator of the same numbers for the same seed, so that a failure can be repeated. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * below);
  };
}

function frameOf(random: (below: number) => number): Buffer {
  const command: Record<string, unknown> = { [COMMANDS[random(COMMANDS.length)]!]: `c${random(3)}`, $db: 'fuzz' };
  for (let i = random(5); i > 0; i--) command[FIELDS[random(FIELDS.length)]!] = VALUES[random(VALUES.length)];
  const frame = Buffer.concat([Buffer.alloc(MSG_HEAD_LENGTH), serialize(command)]);
  frame.writeInt32LE(frame.length, 0);
  frame.writeInt32LE(2013, 12);
  const kind = random(5);
  if (kind === 0) return frame.subarray(0, random(frame.length));
  const start = kind === 1 ? 0 : HEADER_LENGTH;
  for (let i = kind === 4 ? 0 : 1 + random(4); i > 0; i--) frame[start + random(frame.length - start)] = random(256);
  return frame;
}

describe('EmbeddedMongo under random and mutated frames', () => {
  let mongo: EmbeddedMongo;
  let client: mongoose.mongo.MongoClient;

  useOwnServer((connected, started) => {
    client = connected;
    mongo = started;
  });

  async function sendFrames(count: number, seed: number): Promise<void> {
    const random = randomOf(seed);
    for (let sent = 0; sent < count; sent += FRAMES_PER_CONNECTION) {
      const socket = connect(mongo.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.resume();
      await once(socket, 'connect');
      for (let i = 0; i < FRAMES_PER_CONNECTION; i++) socket.write(frameOf(random));
      socket.end();
      await once(socket, 'close');
    }
  }

  it(`serves other connections throughout (${FRAMES} frames)`, async () => {
    const senders = Array.from({ length: SENDERS }, (_, i) => sendFrames(FRAMES / SENDERS, i + 1));
    let isOver = false;
    const finished = Promise.all(senders).then(() => (isOver = true));
    const docs = client.db('served').collection<{ _id: number }>('docs');
    let served = 0;
    do {
      await docs.insertOne({ _id: served });
      expect(await docs.findOne({ _id: served })).toEqual({ _id: served });
      served++;
    } while (!isOver);
    await finished;
    expect(await docs.countDocuments()).toBe(served);
  }, 300_000);
});
