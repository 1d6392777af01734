import { CommandError } from '../../errors.js';
import type { Doc, Value } from '../../bson/value.js';
import { isDoc } from '../../bson/value.js';
import type { Tick } from '../../storage/clock.js';
import { tickOf, timestampOf } from '../../storage/clock.js';
import { Timestamp } from 'bson';
import { fieldsOf } from '../reply.js';

/**
 * `high` is no event: all up to that time has been read. `invalidate` is the event that ends a stream, just after the
 * one that caused it.
 */
type TokenKind = 'high' | 'event' | 'invalidate';

/** A place in the stream of changes, as a resume token tells it. */
export interface StreamPosition {
  readonly ts: Tick;
  /** Place of the change in its transaction. */
  readonly txnOpIndex: number;
  readonly kind: TokenKind;
  /** After which fragment of an event that was split; after the whole event without. */
  readonly fragment?: number;
}

const KINDS: readonly TokenKind[] = ['high', 'event', 'invalidate'];
const PATTERN = /^82([0-9A-F]{8})([0-9A-F]{8})2B0([0-2])([0-9A-F]{8})04(?:46([0-9A-F]{8}))?$/;

const hex = (number: number): string => number.toString(16).toUpperCase().padStart(8, '0');

/** The token of a position: opaque to clients, and it sorts as the events do. */
export function resumeToken({ ts, txnOpIndex, kind, fragment }: StreamPosition): Doc {
  const { t, i } = timestampOf(ts);
  const index = kind === 'high' ? 0 : txnOpIndex;
  return fieldsOf({
    _data: `82${hex(t)}${hex(i)}2B0${KINDS.indexOf(kind)}${hex(index)}04${fragment ? `46${hex(fragment)}` : ''}`,
  });
}

/** @throws CommandError for what is no token of ours */
export function parseResumeToken(token: Value | undefined): StreamPosition {
  const data = isDoc(token) ? token.get('_data') : undefined;
  if (typeof data !== 'string') {
    throw new CommandError(40647, 'Bad resume token: _data of missing or of wrong type');
  }
  if (!/^([0-9a-f]{2})*$/i.test(data)) {
    throw new CommandError('FailedToParse', 'resume token string was not a valid hex string');
  }
  const [, seconds, increment, kind, index, fragment] = PATTERN.exec(data.toUpperCase()) ?? [];
  if (seconds === undefined) throw new CommandError(50795, 'Invalid resume token: it was not made by this server');
  const kindName = KINDS[Number(kind)]!;
  return {
    ts: tickOf(new Timestamp({ t: parseInt(seconds, 16), i: parseInt(increment!, 16) })),
    txnOpIndex: kindName === 'high' ? Infinity : parseInt(index!, 16),
    kind: kindName,
    ...(fragment && { fragment: parseInt(fragment, 16) }),
  };
}
