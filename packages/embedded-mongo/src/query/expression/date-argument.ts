import { ObjectId, Timestamp } from 'bson';
import { msOf, typeName } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { NamedValues } from './arguments.js';
import { isNullish } from './operand.js';
import type { Operand } from './operator.js';
import { timeZone, UTC, type TimeZone } from './time-zone.js';

/** The milliseconds of what MongoDB takes for a date: a date, timestamp or ObjectId. */
export function instant(value: Operand): number {
  if (value instanceof Date) return Number(msOf(value));
  if (value instanceof Timestamp) return value.t * 1000;
  if (value instanceof ObjectId) return value.getTimestamp().getTime();
  throw new CommandError(16006, `can't convert from BSON type ${typeName(value)} to Date`);
}

export const isDateLike = (value: Operand): boolean =>
  value instanceof Date || value instanceof Timestamp || value instanceof ObjectId;

/** The `timezone` argument: UTC when it is not given, undefined when it is null. */
export function zoneOf(values: NamedValues): TimeZone | undefined {
  if (!values.has('timezone')) return UTC;
  const id = values.get('timezone');
  if (isNullish(id)) return undefined;
  if (typeof id === 'string') return timeZone(id);
  throw new CommandError(40517, `timezone must evaluate to a string, found ${typeName(id)}`);
}
