import { Binary } from 'bson';
import type { CommandError } from '../errors.js';
import { encodeDoc } from '../bson/encode.js';
import type { Doc, Value } from '../bson/value.js';
import { isDoc } from '../bson/value.js';
import { type Tick, timestampOf } from '../storage/clock.js';
import { integerArgument } from './arguments.js';
import { writeConcernErrorOf } from './concerns.js';
import { errorLabelsOf } from './error-labels.js';
import type { Operation } from './operation.js';
import { fieldsOf, int } from './reply.js';
import type { ReplyDoc, ReplyValue } from './reply.js';
import type { MongoServer } from './server.js';

/** A server that is no shard and knows no keys signs with nothing. */
const SIGNATURE = fieldsOf({ hash: new Binary(Buffer.alloc(20), 0), keyId: 0n });

/** The reply to a command that failed. */
export function errorReply(server: MongoServer, error: CommandError, op?: Operation): ReplyDoc {
  const reply: ReplyDoc = new Map<string, ReplyValue>([['ok', 0]]);
  const labels = op?.fault?.errorLabels ?? [...new Set([...error.errorLabels, ...labelsOf(op, error.code)])];
  if (labels.length > 0) reply.set('errorLabels', [...labels]);
  reply.set('errmsg', error.message);
  reply.set('code', int(error.code));
  reply.set('codeName', error.codeName);
  for (const [name, value] of Object.entries(error.extra)) reply.set(name, value as Value);
  appendTimes(server, reply);
  return reply;
}

/** Adds to a command's own fields what every reply has: a fault's write concern error, `ok`, labels, times. */
export function finishReply(op: Operation, reply: ReplyDoc): void {
  const fault = op.fault;
  const unfulfilled = fault?.writeConcernError ?? writeConcernErrorOf(op.generic);
  if (unfulfilled) reply.set('writeConcernError', unfulfilled);
  const writeConcernError = reply.get('writeConcernError');
  if (isDoc(writeConcernError)) {
    const labels = fault?.errorLabels ?? labelsOf(op, undefined, integerArgument(writeConcernError, 'code'));
    if (labels.length > 0) reply.set('errorLabels', [...labels]);
  }
  reply.set('ok', 1);
  appendTimes(op.server, reply);
}

function labelsOf(op: Operation | undefined, code: number | undefined, writeConcernCode?: number): string[] {
  if (!op) return [];
  return errorLabelsOf(
    {
      commandName: op.command.name,
      isInTransaction: op.isInTransaction,
      isRetryableWrite: op.generic.txnNumber !== undefined && !op.isInTransaction,
      isChangeStream: op.isChangeStream,
    },
    code,
    writeConcernCode,
  );
}

function appendTimes(server: MongoServer, reply: ReplyDoc): void {
  const { now } = server.storage.clock;
  reply.set('$clusterTime', clusterTimeAt(now));
  reply.set('operationTime', timestampOf(now));
}

let latest: { readonly tick: Tick; readonly bytes: Uint8Array } | undefined;

/** `$clusterTime` as BSON; that of the last tick is kept, as most replies show the same. */
function clusterTimeAt(tick: Tick): Uint8Array {
  if (latest?.tick !== tick) {
    const doc = fieldsOf({ clusterTime: timestampOf(tick), signature: SIGNATURE });
    latest = { tick, bytes: encodeDoc(doc as Doc) };
  }
  return latest.bytes;
}
