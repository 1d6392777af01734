import { CommandError } from '../../errors.js';
import { isDoc } from '../../bson/value.js';
import { parseNs } from '../../storage/namespace.js';
import { timestampOf } from '../../storage/clock.js';
import { docArgument, integerArgument } from '../arguments.js';
import type { Command } from '../command.js';
import { startSpeculativeAuthentication } from '../auth/speculative-authentication.js';
import type { Operation } from '../operation.js';
import {
  MAX_BSON_SIZE,
  MAX_MESSAGE_LENGTH,
  MAX_WIRE_VERSION,
  MAX_WRITE_BATCH_SIZE,
  MIN_WIRE_VERSION,
} from './limits.js';
import { fieldsOf, int, reply } from '../reply.js';
import type { ReplyDoc } from '../reply.js';
import { SESSION_TIMEOUT_MINUTES } from '../session/session-catalog.js';

export const hello: Command = {
  name: 'hello',
  aliases: ['isMaster', 'ismaster'],
  isAuthFree: true,
  isInApiV1: true,
  isLenient: true,
  isSessionFree: true,
  args: {},
  run(op) {
    noteClient(op);
    const wait = awaitChange(op);
    return wait ? wait.then(() => describe(op)) : describe(op);
  },
};

function noteClient({ args, client }: Operation): void {
  const metadata = docArgument(args, 'client');
  if (!metadata) return;
  if (client.metadata) {
    throw new CommandError(
      'ClientMetadataCannotBeMutated',
      'The client metadata document may only be sent in the first hello',
    );
  }
  client.metadata = metadata;
}

/** With the current topologyVersion, hello answers when something changes, or after maxAwaitTimeMS. */
function awaitChange(op: Operation): Promise<unknown> | undefined {
  const version = docArgument(op.args, 'topologyVersion');
  const maxAwaitTimeMS = integerArgument(op.args, 'maxAwaitTimeMS');
  if (!version && maxAwaitTimeMS === undefined) return undefined;
  if (!version || maxAwaitTimeMS === undefined) {
    throw new CommandError(
      31368,
      version
        ? "A request with a 'topologyVersion' must include 'maxAwaitTimeMS'"
        : "A request with 'maxAwaitTimeMS' must include a 'topologyVersion'",
    );
  }
  if (maxAwaitTimeMS < 0) throw new CommandError(31373, "'maxAwaitTimeMS' must be a non-negative integer");
  if (!op.server.topology.isCurrent(version)) return undefined;
  op.isRepeated = op.request.isExhaustAllowed; // the stream of a driver's monitor: one reply after each wait
  return op.interrupt.sleep(maxAwaitTimeMS);
}

function describe(op: Operation): ReplyDoc {
  const { server, args, client } = op;
  const { topology } = server;
  const lastWrite = timestampOf(server.storage.clock.now);
  const lastWriteDate = new Date(lastWrite.getHighBitsUnsigned() * 1000);
  const isHello = op.commandName === 'hello';
  const speculative = docArgument(args, 'speculativeAuthenticate');
  return reply({
    helloOk: !isHello && args.get('helloOk') === true ? true : undefined,
    topologyVersion: topology.version,
    hosts: [topology.host],
    setName: topology.setName,
    setVersion: int(1),
    [isHello ? 'isWritablePrimary' : 'ismaster']: true,
    secondary: false,
    primary: topology.host,
    me: topology.host,
    electionId: topology.electionId,
    lastWrite: fieldsOf({
      opTime: topology.opTime(lastWrite),
      lastWriteDate,
      majorityOpTime: topology.opTime(lastWrite),
      majorityWriteDate: lastWriteDate,
    }),
    maxBsonObjectSize: int(MAX_BSON_SIZE),
    maxMessageSizeBytes: int(MAX_MESSAGE_LENGTH),
    maxWriteBatchSize: int(MAX_WRITE_BATCH_SIZE),
    localTime: new Date(),
    logicalSessionTimeoutMinutes: int(SESSION_TIMEOUT_MINUTES),
    connectionId: int(client.connection.id),
    minWireVersion: int(MIN_WIRE_VERSION),
    maxWireVersion: int(MAX_WIRE_VERSION),
    readOnly: false,
    saslSupportedMechs: mechanismsOf(op, args.get('saslSupportedMechs')),
    speculativeAuthenticate: isDoc(speculative) ? startSpeculativeAuthentication(op, speculative) : undefined,
  });
}

/** `saslSupportedMechs` names a user as `db.user`. */
function mechanismsOf({ server }: Operation, name: unknown): string[] | undefined {
  if (typeof name !== 'string') return undefined;
  const { db, coll } = parseNs(name);
  const user = server.credentials.find(db, coll);
  return user && [...user.secrets.keys()];
}
