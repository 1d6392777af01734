import { typeName } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { tickOf } from '../storage/clock.js';
import { timestampArgument, docArgument } from './arguments.js';
import { appNameIn } from './client.js';
import { commandFault } from './fail-point/fail-point.js';
import type { Operation } from './operation.js';
import { letOthersGoFirst } from './collection-creation.js';
import type { ReplyDoc } from './reply.js';
import { enterSession, leaveSession } from './session/session-scope.js';

/** What an operation's command does. */
type Run = () => ReplyDoc | Promise<ReplyDoc>;

/** Runs an operation: faults first, then its session and transaction, then the command itself. */
export function executeOperation(op: Operation, command: Run): ReplyDoc | Promise<ReplyDoc> {
  const { server } = op;
  server.counters.count(op.command.name);
  gossipClusterTime(op);
  const wait = applyFaults(op);
  if (wait) return wait.then(() => executeInSession(op, command));
  return executeInSession(op, command);
}

function executeInSession(op: Operation, command: Run): ReplyDoc | Promise<ReplyDoc> {
  const wait = enterSession(op);
  if (wait) return wait.then(() => runInTurn(op, command));
  return runInTurn(op, command);
}

function runInTurn(op: Operation, command: Run): ReplyDoc | Promise<ReplyDoc> {
  const wait = letOthersGoFirst(op);
  return wait ? wait.then(() => runAndLeave(op, command)) : runAndLeave(op, command);
}

function runAndLeave(op: Operation, command: Run): ReplyDoc | Promise<ReplyDoc> {
  let isAsync = false;
  try {
    op.interrupt.check();
    const result = op.compute(command);
    if (!(result instanceof Promise)) {
      leaveSession(op, undefined);
      return result;
    }
    isAsync = true;
    return result.then(
      (reply) => {
        leaveSession(op, undefined);
        return reply;
      },
      (error: unknown) => {
        leaveSession(op, error);
        throw error;
      },
    );
  } catch (error) {
    if (!isAsync) leaveSession(op, error);
    throw error;
  }
}

function applyFaults(op: Operation): Promise<void> | undefined {
  const { failPoints } = op.server;
  if (failPoints.size === 0 || op.command.name === 'configureFailPoint') return undefined;
  const isTimed = op.generic.maxTimeMS > 0 && op.command.name !== 'getMore'; // which minds its cursor's time
  if (isTimed && failPoints.get('maxTimeAlwaysTimeOut')?.fires()) op.interrupt.expireNow();
  if (failPoints.get('maxTimeNeverTimeOut')?.fires()) op.interrupt.setMaxTime(Infinity);
  op.fault = commandFault(failPoints.get('failCommand'), {
    names: [op.commandName, op.command.name, ...(op.command.aliases ?? [])],
    appName: op.client.appName ?? announcedAppName(op),
    namespace: op.namespace,
  });
  if (!op.fault) return undefined;
  if (op.fault.blockMS > 0) return op.interrupt.sleep(op.fault.blockMS).then(() => failIfTold(op));
  failIfTold(op);
  return undefined;
}

/** A connection's first hello counts as its application's, though it has not run yet. */
function announcedAppName({ args }: Operation): string | undefined {
  const metadata = docArgument(args, 'client');
  return metadata && appNameIn(metadata);
}

function failIfTold(op: Operation): void {
  const { fault } = op;
  if (fault?.closesConnection) {
    op.isAnswerLost = true;
    throw new CommandError('NetworkTimeout', 'the connection is closed by a fail point');
  }
  if (fault?.error) throw fault.error;
}

/** Cluster time only grows, and everybody's newest is learnt. @throws CommandError for a time nobody can have seen */
function gossipClusterTime(op: Operation): void {
  const { clock } = op.server.storage;
  const gossip = docArgument(op.args, '$clusterTime');
  const clusterTime = gossip && timestampArgument(gossip, 'clusterTime');
  if (gossip && !clusterTime) {
    const found = gossip.get('clusterTime');
    throw found === undefined
      ? new CommandError('NoSuchKey', 'Missing expected field "clusterTime"')
      : new CommandError(
          'TypeMismatch',
          `"clusterTime" had the wrong type. Expected timestamp, found ${typeName(found)}`,
        );
  }
  if (clusterTime) clock.advanceTo(tickOf(clusterTime));
  const after = op.generic.readConcern?.afterClusterTime;
  if (after && tickOf(after) > clock.now) {
    throw new CommandError(
      'InvalidOptions',
      'readConcern afterClusterTime value must not be greater than the current clusterTime',
    );
  }
}
