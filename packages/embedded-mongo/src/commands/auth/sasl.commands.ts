import { Binary } from 'bson';
import { CommandError } from '../../errors.js';
import type { Doc } from '../../bson/value.js';
import { boolArgument, docArgument, stringArgument } from '../arguments.js';
import type { Client } from '../client.js';
import type { Command } from '../command.js';
import type { Operation } from '../operation.js';
import { int, reply } from '../reply.js';
import type { ReplyDoc } from '../reply.js';
import { ScramConversation } from './scram.js';
import { isScramMechanism } from './scram.secret.js';

const CONVERSATION_ID = 1;

const payloadOf = (args: Doc): string => {
  const payload = args.get('payload');
  return payload instanceof Binary ? Buffer.from(payload.value()).toString('utf8') : String(payload ?? '');
};

/** Begins an exchange; also for hello's `speculativeAuthenticate`. @throws CommandError */
export function beginConversation({ server, client }: Operation, args: Doc, db: string): ReplyDoc {
  const mechanism = stringArgument(args, 'mechanism');
  if (!isScramMechanism(mechanism)) {
    throw new CommandError(
      'MechanismUnavailable',
      `Received authentication for mechanism ${mechanism} which is not enabled`,
    );
  }
  const options = docArgument(args, 'options');
  const skipsEmpty = options ? boolArgument(options, 'skipEmptyExchange') : false;
  client.conversation = new ScramConversation(server.credentials, mechanism, db, payloadOf(args), skipsEmpty);
  return progress(client, client.conversation.firstPayload);
}

function progress(client: Client, payload: string): ReplyDoc {
  const { conversation } = client;
  const done = conversation?.isDone ?? true;
  if (conversation?.isDone) {
    client.authenticatedAs = { user: conversation.user, db: conversation.db };
    client.conversation = undefined;
  }
  return reply({ conversationId: int(CONVERSATION_ID), done, payload: new Binary(Buffer.from(payload)) });
}

export const saslStart: Command = {
  name: 'saslStart',
  isAuthFree: true,
  isInApiV1: true,
  isLenient: true,
  args: {},
  run: (op) => beginConversation(op, op.args, op.db),
};

export const saslContinue: Command = {
  name: 'saslContinue',
  isAuthFree: true,
  isInApiV1: true,
  isLenient: true,
  args: {},
  run({ client, args }) {
    const { conversation } = client;
    if (!conversation) throw new CommandError('ProtocolError', 'No SASL session state found');
    try {
      return progress(client, conversation.continue(payloadOf(args)));
    } catch (error) {
      client.conversation = undefined;
      throw error;
    }
  },
};

export const logout: Command = {
  name: 'logout',
  isAuthFree: true,
  args: { logout: 'any' },
  run({ client }) {
    client.authenticatedAs = undefined;
    return reply({});
  },
};
