import { Binary, UUID } from 'bson';
import { CommandError } from '../../errors.js';
import type { Doc } from '../../bson/value.js';
import { isDoc } from '../../bson/value.js';
import { arrayArgument } from '../arguments.js';
import type { Command } from '../command.js';
import { sessionKey } from '../generic-arguments.js';
import type { Operation } from '../operation.js';
import { fieldsOf, int, reply } from '../reply.js';
import type { Session } from './session.js';
import { SESSION_TIMEOUT_MINUTES } from './session-catalog.js';

const killed = (): CommandError => new CommandError('Interrupted', 'operation was interrupted: its session was killed');

const lsidsOf = ({ args, commandName }: Operation): Doc[] =>
  (arrayArgument(args, commandName) ?? []).map((lsid) => {
    if (!isDoc(lsid)) throw new CommandError('TypeMismatch', `'${commandName}' takes an array of session ids`);
    return lsid;
  });

export const startSession: Command = {
  name: 'startSession',
  isSessionFree: true,
  args: { startSession: 'any' },
  run({ server, client: { owner } }) {
    const id = new Binary(new UUID().buffer, Binary.SUBTYPE_UUID);
    const lsid = fieldsOf({ id });
    server.sessions.findOrCreate(sessionKey(lsid, owner), lsid, owner);
    return reply({ id: lsid, timeoutMinutes: int(SESSION_TIMEOUT_MINUTES) });
  },
};

export const refreshSessions: Command = {
  name: 'refreshSessions',
  isInApiV1: true,
  isSessionFree: true,
  args: { refreshSessions: 'array!' },
  run(op) {
    const { owner } = op.client;
    for (const lsid of lsidsOf(op)) {
      op.server.sessions.findOrCreate(sessionKey(lsid, owner), lsid, owner).lastUseMS = Date.now();
    }
    return reply({});
  },
};

export const endSessions: Command = {
  name: 'endSessions',
  isInApiV1: true,
  isAuthFree: true,
  isSessionFree: true,
  takesWriteConcern: true, // drivers that want no answer say so with w: 0
  args: { endSessions: 'array!' },
  run(op) {
    for (const lsid of lsidsOf(op)) op.server.sessions.end(sessionKey(lsid, op.client.owner), killed());
    return reply({});
  },
};

const ownOf = (sessions: Iterable<Session>, owner: string): Session[] =>
  [...sessions].filter((session) => owner === '' || session.owner === owner);

/** Kills the sessions' operations, transactions and cursors; an empty list means all of one's own. */
function killListed(op: Operation): void {
  const { sessions } = op.server;
  const { owner } = op.client;
  const lsids = lsidsOf(op);
  const targets =
    lsids.length > 0 ? lsids.map((lsid) => sessions.find(sessionKey(lsid, owner))) : ownOf(sessions.all, owner);
  for (const session of targets) if (session) sessions.kill(session, killed());
}

export const killSessions: Command = {
  name: 'killSessions',
  isSessionFree: true,
  args: { killSessions: 'array!' },
  run(op) {
    killListed(op);
    return reply({});
  },
};

export const killAllSessions: Command = {
  name: 'killAllSessions',
  isSessionFree: true,
  args: { killAllSessions: 'array!' },
  run({ server }) {
    for (const session of [...server.sessions.all]) server.sessions.kill(session, killed());
    return reply({});
  },
};

export const killAllSessionsByPattern: Command = {
  ...killAllSessions,
  name: 'killAllSessionsByPattern',
  args: { killAllSessionsByPattern: 'array!' },
};
