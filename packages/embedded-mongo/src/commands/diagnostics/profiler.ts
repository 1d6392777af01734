import { encodeDoc } from '../../bson/encode.js';
import { formatDoc } from '../../bson/format.js';
import type { Doc, Value } from '../../bson/value.js';
import { isDoc } from '../../bson/value.js';
import { plainEnv } from '../../query/env.js';
import { compileFilter } from '../../query/filter.js';
import { shownCommand } from '../auth/shown-command.js';
import { documentToInsert } from '../crud/insert-document.js';
import { integerArgument } from '../arguments.js';
import type { RunningOperation } from '../running-operation.js';
import { fieldsOf, int, long } from '../reply.js';
import type { ReplyDoc } from '../reply.js';
import type { CommandError } from '../../errors.js';
import type { Collection } from '../../storage/collection.js';
import type { Storage } from '../../storage/storage.js';

export const PROFILE = 'system.profile';
const PROFILE_BYTES = 1_048_576;
/** How much of a command an entry shows. */
const MAX_SHOWN_BYTES = 50 * 1024;

/** Which operations of a database are kept: none, the slow ones, all. */
export type ProfilingLevel = 0 | 1 | 2;

/** How profiles and currentOp name what a command does. */
const KINDS: Readonly<Record<string, string>> = {
  find: 'query',
  getMore: 'getmore',
  insert: 'insert',
  update: 'update',
  delete: 'remove',
  aggregate: 'command',
  count: 'command',
  distinct: 'command',
  findAndModify: 'command',
  explain: 'command',
};

/** Writes what the operations of a database did to its `system.profile` (manual: Database Profiler). */
export class Profiler {
  slowMS = 100;
  sampleRate = 1;
  filter: Doc | undefined;
  private readonly levels = new Map<string, ProfilingLevel>();

  constructor(private readonly storage: Storage) {}

  levelOf(db: string): ProfilingLevel {
    return this.levels.get(db) ?? 0;
  }

  setLevel(db: string, level: ProfilingLevel): void {
    if (level === 0) this.levels.delete(db);
    else this.levels.set(db, level);
  }

  /** Notes an operation that has ended, if its database is profiled. */
  note(op: RunningOperation, reply: ReplyDoc | undefined, error: CommandError | undefined): void {
    if (this.levels.size === 0) return;
    const level = this.levelOf(op.db);
    const kind = KINDS[op.command.name];
    if (level === 0 || kind === undefined) return;
    const millis = Date.now() - op.now.getTime();
    if (!this.filter && ((level === 1 && millis < this.slowMS) || Math.random() >= this.sampleRate)) return;
    for (const entry of entriesOf(op, kind, millis, reply, error)) {
      if (this.isWanted(entry)) this.write(op.db, entry);
    }
  }

  /** A filter that fails on an entry does not want it. */
  private isWanted(entry: Doc): boolean {
    try {
      return !this.filter || compileFilter(this.filter, plainEnv())(entry);
    } catch {
      return false;
    }
  }

  private write(db: string, entry: Doc): void {
    const { catalog, clock } = this.storage;
    const document = documentToInsert(encodeDoc(entry), clock);
    const written = this.storage.write((unit) => {
      const ns = { db, coll: PROFILE };
      const profile = catalog.find(ns, unit) ?? catalog.create(unit, ns, PROFILE_OPTIONS);
      unit.insert(profile as Collection, document);
    });
    written.catch(() => {}); // what cannot be written of a profile is missing from it; the operation has been answered
  }
}

export const PROFILE_OPTIONS: Doc = fieldsOf({ capped: true, size: long(PROFILE_BYTES) });

/** One entry, or for an update or delete one for each of its statements. */
function entriesOf(
  op: RunningOperation,
  kind: string,
  millis: number,
  reply: ReplyDoc | undefined,
  error: CommandError | undefined,
): Doc[] {
  const statements = kind === 'update' || kind === 'remove' ? op.args.get(`${op.command.name}s`) : undefined;
  const { comment } = op.generic;
  const commented = (statement: Doc): Doc =>
    comment === undefined ? statement : new Map([...statement, ['comment', comment]]);
  const commands = Array.isArray(statements) ? statements.filter(isDoc).map(commented) : [commandOf(op)];
  return commands.map((command) =>
    fieldsOf({
      op: kind,
      ns: op.cursor?.ns ?? op.namespace,
      command: shortened(command),
      originatingCommand: op.cursor && shortened(shownCommand(op.cursor.opener.args)),
      ...outcomeOf(op, reply),
      ...(error && { ok: 0, errCode: int(error.code), errName: error.codeName, errMsg: error.message }),
      protocol: 'op_msg',
      millis: int(millis),
      ts: new Date(),
      client: op.client.connection.remoteAddress.replace(/:\d+$/, ''),
      appName: op.client.appName,
      allUsers: userOf(op),
      user: op.client.authenticatedAs ? `${op.client.authenticatedAs.user}@${op.client.authenticatedAs.db}` : '',
    }),
  );
}

/** A long command is shown as the beginning of its text, as mongod does. */
function shortened(command: Doc): Doc {
  if (encodeDoc(command).length <= MAX_SHOWN_BYTES) return command;
  const text = formatDoc(command).slice(0, MAX_SHOWN_BYTES);
  return fieldsOf({ $truncated: `${text}...`, comment: command.get('comment') });
}

function commandOf({ args, db }: RunningOperation): Doc {
  const command: Doc = new Map([...shownCommand(args)].filter(([name]) => name !== 'documents'));
  if (!command.has('$db')) command.set('$db', db);
  return command;
}

function outcomeOf({ command }: RunningOperation, reply: ReplyDoc | undefined): Record<string, Value | undefined> {
  if (!reply) return {};
  const cursor = reply.get('cursor');
  const batch = isDoc(cursor) ? (cursor.get('firstBatch') ?? cursor.get('nextBatch')) : undefined;
  const n = integerArgument(reply as Doc, 'n');
  return {
    nreturned: Array.isArray(batch) ? int(batch.length) : undefined,
    ninserted: command.name === 'insert' ? int(n ?? 0) : undefined,
    nMatched: command.name === 'update' ? int(n ?? 0) : undefined,
    nModified: command.name === 'update' ? int(integerArgument(reply as Doc, 'nModified') ?? 0) : undefined,
    ndeleted: command.name === 'delete' ? int(n ?? 0) : undefined,
  };
}

const userOf = ({ client }: RunningOperation): Value[] =>
  client.authenticatedAs ? [fieldsOf({ user: client.authenticatedAs.user, db: client.authenticatedAs.db })] : [];
