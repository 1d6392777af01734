import type { Doc } from '../../bson/value.js';
import type { ClientCursor } from '../cursor/client-cursor.js';
import { fieldsOf, int, long } from '../reply.js';
import type { MongoServer } from '../server.js';
import type { Session } from '../session/session.js';

const MICROSECONDS = 1000;

/** Whether one is told of a user's. */
type IsShown = (owner: string) => boolean;

/** The connections that wait for nothing. */
export const idleConnections = (server: MongoServer, isShown: IsShown): Doc[] =>
  [...server.clients.values()]
    .filter(({ operation, owner }) => !operation && isShown(owner))
    .map(({ connection, appName }) =>
      fieldsOf({
        type: 'op',
        host: server.topology.host,
        desc: `conn${connection.id}`,
        connectionId: int(connection.id),
        client: connection.remoteAddress,
        appName,
        active: false,
        currentOpTime: new Date().toISOString(),
      }),
    );

/** The sessions whose transaction is open while none of its commands runs. */
export const idleSessions = (server: MongoServer, isShown: IsShown): Doc[] =>
  [...server.sessions.all]
    .filter(({ transaction, isBusy, owner }) => transaction.isInProgress && !isBusy && isShown(owner))
    .map((session) => describeSession(server, session));

function describeSession({ topology }: MongoServer, { lsid, transaction }: Session): Doc {
  const { txnNumber, startedAt } = transaction;
  return fieldsOf({
    type: 'idleSession',
    host: topology.host,
    desc: 'inactive transaction',
    lsid,
    transaction: fieldsOf({
      parameters: fieldsOf({ txnNumber, autocommit: false }),
      startWallClockTime: startedAt.toISOString(),
      timeOpenMicros: long((Date.now() - startedAt.getTime()) * MICROSECONDS),
    }),
    waitingForLock: false,
    active: false,
  });
}

/** The cursors that no getMore reads. */
export const idleCursors = (server: MongoServer, isShown: IsShown): Doc[] =>
  [...server.cursors.all]
    .filter(({ isPinned, origin }) => !isPinned && isShown(origin.owner))
    .map((cursor) => describeCursor(server, cursor));

function describeCursor({ topology }: MongoServer, { id, ns, opener, options, source, ...cursor }: ClientCursor): Doc {
  return fieldsOf({
    type: 'idleCursor',
    host: topology.host,
    ns,
    cursor: fieldsOf({
      cursorId: id,
      createdDate: opener.now,
      lastAccessDate: new Date(cursor.lastUseMS),
      nDocsReturned: long(cursor.returnedCount),
      noCursorTimeout: options.noTimeout === true,
      tailable: source.isTailable === true,
      awaitData: options.isAwaitData === true,
      originatingCommand: opener.args,
    }),
    lsid: opener.generic.lsidDoc,
  });
}
