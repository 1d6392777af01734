import type { Doc } from '../bson/value.js';
import { isDoc } from '../bson/value.js';
import { LATEST } from '../storage/read-view.js';
import { arrayArgument, boolArgument } from './arguments.js';
import type { Client } from './client.js';
import type { Operation } from './operation.js';
import type { MongoServer } from './server.js';

/** Turns of the event loop in which what has been sent already is read. */
const TURNS = 4;
/** How long a connection may take to say hello, and from there to its first command; a monitor never has one. */
const HELLO_MS = 250;
const FIRST_COMMAND_MS = 25;
/** A driver that has just connected is still opening connections, and takes longer to send what it was told. */
const NEW_CLIENT_MS = 300;
/** Milliseconds for what another process is about to send. The more collections are made while nobody watches, the fewer. */
const WAITED_MS = 8;
const WAITED_FOR_NEW_MS = 20;
const UNWATCHED_CREATIONS = 10;

/**
 * Whoever makes a collection lets the commands and handshakes go first that are under way: it takes MongoDB some
 * milliseconds, in which a change stream opened at the same time gets ahead of the write. Writes to that collection
 * wait for it, so that they find the one that was asked for first.
 * @returns undefined if it need not wait
 */
export function letOthersGoFirst(op: Operation): Promise<void> | undefined {
  const { pendingCreations } = op.server;
  const earlier = pendingCreations.size > 0 ? creationInTheWay(op) : undefined;
  if (earlier) return earlier.then(() => letOthersGoFirst(op)); // it has run by then, or failed
  if (!makesCollection(op)) return undefined;
  const gone = othersGone(op).finally(() => pendingCreations.delete(op.namespace));
  pendingCreations.set(op.namespace, gone);
  return gone;
}

/** Write to more than one collection, or to one that is not their first argument. */
const OF_MANY = ['dropDatabase', 'renameCollection', 'convertToCapped', 'cloneCollectionAsCapped'];

function creationInTheWay({ command, args, namespace, server }: Operation): Promise<unknown> | undefined {
  const isOfMany = OF_MANY.includes(command.name) || (command.name === 'aggregate' && endsInWrite(args));
  if (isOfMany) return Promise.all(server.pendingCreations.values());
  return command.isWrite ? server.pendingCreations.get(namespace) : undefined;
}

function endsInWrite(args: Doc): boolean {
  const last = arrayArgument(args, 'pipeline')?.at(-1);
  return last !== undefined && isDoc(last) && (last.has('$out') || last.has('$merge'));
}

function makesCollection(op: Operation): boolean {
  const { args, commandName, db, server } = op;
  if (op.isInTransaction || !mayMake(op)) return false;
  const coll = args.get(commandName);
  return typeof coll === 'string' && !server.storage.catalog.find({ db, coll }, LATEST);
}

function mayMake(op: Operation): boolean {
  return op.command.name === 'create' || op.command.name === 'createIndexes' || upserts(op);
}

function upserts({ command, args }: Operation): boolean {
  if (command.name === 'insert') return true;
  if (command.name === 'findAndModify') return boolArgument(args, 'upsert');
  if (command.name !== 'update') return false;
  return (arrayArgument(args, 'updates') ?? []).some((each) => isDoc(each) && boolArgument(each, 'upsert'));
}

async function othersGone({ server, client }: Operation): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise(setImmediate);
  const isNew = Date.now() - client.connection.openedAt.getTime() < NEW_CLIENT_MS;
  const mostMS = isNew ? WAITED_FOR_NEW_MS : WAITED_MS;
  let left = Math.floor(mostMS / (1 + server.unwatchedCreations / UNWATCHED_CREATIONS));
  server.unwatchedCreations++;
  while (left-- > 0 || isSomebodyArriving(server)) await new Promise((resolve) => setTimeout(resolve, 1));
}

const isSomebodyArriving = ({ clients }: MongoServer): boolean => [...clients.values()].some(isArriving);

function isArriving({ lastHandshakeMS, hasRunCommand, connection }: Client): boolean {
  if (hasRunCommand) return false;
  if (lastHandshakeMS !== undefined) return Date.now() - lastHandshakeMS < FIRST_COMMAND_MS;
  return Date.now() - connection.openedAt.getTime() < HELLO_MS;
}
