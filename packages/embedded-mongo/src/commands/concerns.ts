import { CommandError } from '../errors.js';
import type { Doc } from '../bson/value.js';
import type { Command } from './command.js';
import type { GenericArguments } from './generic-arguments.js';
import { fieldsOf, int } from './reply.js';

/** The Node driver repeats the read concern of a snapshot session in the getMores of its cursors. */
const SNAPSHOT_READS = new Set(['find', 'aggregate', 'distinct', 'getMore']);
const PLAIN_LEVELS = [undefined, 'local', 'available'];

/** What a command may be told about concerns. @throws CommandError InvalidOptions (72) */
export function checkConcerns(
  command: Command,
  commandName: string,
  { readConcern, writeConcern, autocommit }: GenericArguments,
): void {
  const level = readConcern?.level;
  if (autocommit === undefined && !PLAIN_LEVELS.includes(level)) {
    const isSupported = level === 'snapshot' ? SNAPSHOT_READS.has(command.name) : command.takesReadConcern;
    if (!isSupported) {
      throw new CommandError(
        'InvalidOptions',
        `Command ${commandName} does not support { readConcern: { level: "${level}", provenance: "clientSupplied" } } :: caused by :: read concern not supported`,
      );
    }
  }
  if (writeConcern && !command.isWrite && !command.takesWriteConcern) {
    throw new CommandError('InvalidOptions', 'Command does not support writeConcern');
  }
}

/** The error of a write concern that one member cannot fulfil; the write itself is done. */
export function writeConcernErrorOf({ writeConcern }: GenericArguments): Doc | undefined {
  const w = writeConcern?.w;
  if (typeof w === 'number' && w > 1) {
    return fieldsOf({
      code: int(100),
      codeName: 'UnsatisfiableWriteConcern',
      errmsg: 'Not enough data-bearing nodes',
      errInfo: fieldsOf({ writeConcern: fieldsOf({ w: int(w), wtimeout: int(0), provenance: 'clientSupplied' }) }),
    });
  }
  if (typeof w === 'string' && w !== 'majority') {
    return fieldsOf({
      code: int(79),
      codeName: 'UnknownReplWriteConcern',
      errmsg: `No write concern mode named '${w}' found in replica set configuration`,
      errInfo: fieldsOf({ writeConcern: fieldsOf({ w, wtimeout: int(0), provenance: 'clientSupplied' }) }),
    });
  }
  return undefined;
}
