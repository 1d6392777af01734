import { CommandError } from '../../errors.js';
import type { Doc } from '../../bson/value.js';
import { compileFilter } from '../../query/filter.js';
import { boolArgument, integerArgument } from '../arguments.js';
import { shownCommand } from '../auth/shown-command.js';
import type { Command } from '../command.js';
import { queryEnv } from '../crud/query-env.js';
import { isGenericArgument } from '../generic-arguments.js';
import type { RunningOperation } from '../running-operation.js';
import { fieldsOf, int, long, reply } from '../reply.js';
import type { MongoServer } from '../server.js';
import { idleConnections, idleCursors, idleSessions } from './idle-operations.js';

export const currentOp: Command = {
  name: 'currentOp',
  isAdminOnly: true,
  isLenient: true,
  args: {},
  run(op) {
    const conditions: Doc = new Map(
      [...op.args].filter(([name]) => !['currentOp', '$all', '$ownOps'].includes(name) && !isGenericArgument(name)),
    );
    const matches = compileFilter(conditions, queryEnv(op));
    return reply({
      inprog: describeOperations(op.server, {
        connections: boolArgument(op.args, '$all'),
        owner: boolArgument(op.args, '$ownOps') ? op.client.owner : undefined,
      }).filter((doc) => matches(doc)),
    });
  },
};

/** Which idle ones are told of too (manual: $currentOp). */
interface IdleOptions {
  readonly connections?: boolean;
  /** Sessions with an open transaction; told of by default. */
  readonly sessions?: boolean;
  readonly cursors?: boolean;
  /** Whose; undefined for everybody's. */
  readonly owner?: string | undefined;
}

export function describeOperations(server: MongoServer, idle: IdleOptions): Doc[] {
  const isShown = (owner: string): boolean => idle.owner === undefined || owner === idle.owner;
  return [
    ...[...server.operations.values()].filter(({ client }) => isShown(client.owner)).map((op) => describe(server, op)),
    ...(idle.connections ? idleConnections(server, isShown) : []),
    ...(idle.sessions === false ? [] : idleSessions(server, isShown)),
    ...(idle.cursors ? idleCursors(server, isShown) : []),
  ];
}

function describe(server: MongoServer, op: RunningOperation): Doc {
  const { client, id, namespace, now, command, args, generic, db, cursor } = op;
  const runningMS = Date.now() - now.getTime();
  const shown: Doc = new Map([...shownCommand(args)].filter(([name]) => name !== '$clusterTime'));
  if (!shown.has('$db')) shown.set('$db', db);
  return fieldsOf({
    type: 'op',
    host: server.topology.host,
    desc: `conn${client.connection.id}`,
    connectionId: int(client.connection.id),
    client: client.connection.remoteAddress,
    appName: client.appName,
    clientMetadata: client.metadata,
    active: true,
    currentOpTime: new Date().toISOString(),
    opid: int(id),
    lsid: generic.lsidDoc,
    secs_running: long(Math.floor(runningMS / 1000)),
    microsecs_running: long(runningMS * 1000),
    op: opOf(command.name),
    ns: namespace,
    command: shown,
    cursor: cursor && fieldsOf({ cursorId: cursor.id, originatingCommand: shownCommand(cursor.opener.args) }),
    numYields: int(0),
    waitingForLock: false,
  });
}

const opOf = (name: string): string =>
  ({ find: 'query', getMore: 'getmore', insert: 'insert', update: 'update', delete: 'remove' })[name] ?? 'command';

export const killOp: Command = {
  name: 'killOp',
  isAdminOnly: true,
  args: { killOp: 'any', op: 'number!' },
  run({ args, server }) {
    const target = server.operations.get(integerArgument(args, 'op')!);
    target?.interrupt.kill(new CommandError('Interrupted', 'operation was interrupted'));
    return reply({ info: 'attempting to kill op' });
  },
};
