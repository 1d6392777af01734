import { CommandError } from '../errors.js';
import { decodeDoc } from '../bson/decode.js';
import { encodeDoc } from '../bson/encode.js';
import type { Doc } from '../bson/value.js';
import { checkApiVersion } from './api-version.js';
import { assertBsonSize } from './bson-size.js';
import { authorize } from './auth/authorization.js';
import { requireAuthentication } from './auth/require-authentication.js';
import { checkConcerns } from './concerns.js';
import { stringArgument } from './arguments.js';
import type { Command } from './command.js';
import { executeOperation } from './execute.js';
import { checkArguments } from './command-arguments.js';
import { errorReply, finishReply } from './final-reply.js';
import { parseGenericArguments } from './generic-arguments.js';
import { MAX_MESSAGE_LENGTH, MAX_PRE_AUTH_MESSAGE_LENGTH } from './handshake/limits.js';
import { Operation } from './operation.js';
import { splitDocuments } from './raw-documents.js';
import { findCommand } from './registry.js';
import type { ReplyDoc } from './reply.js';
import type { ClientConnection, Reply, RequestHandler, RequestMessage } from './request.js';
import type { MongoServer } from './server.js';

/** Turns a request into a command, runs it and makes its reply. */
export class Dispatcher implements RequestHandler {
  constructor(private readonly server: MongoServer) {}

  handle(request: RequestMessage, connection: ClientConnection): Reply | undefined | Promise<Reply | undefined> {
    let op: Operation;
    let command: Command;
    try {
      ({ op, command } = this.parse(request, connection));
    } catch (error) {
      return { body: encodeDoc(errorReply(this.server, asCommandError(error))) };
    }
    this.server.operations.set(op.id, op);
    op.client.operation = op;
    let result: ReplyDoc | Promise<ReplyDoc>;
    try {
      result = executeOperation(op, () => command.run(op));
    } catch (error) {
      return this.finish(op, undefined, error);
    }
    if (!(result instanceof Promise)) return this.finish(op, result);
    return result.then(
      (reply) => this.finish(op, reply),
      (error: unknown) => this.finish(op, undefined, error),
    );
  }

  maxMessageLength(connection: ClientConnection): number {
    const { credentials } = this.server;
    if (!credentials.isAuthenticationRequired) return MAX_MESSAGE_LENGTH;
    return this.server.clientOf(connection).authenticatedAs ? MAX_MESSAGE_LENGTH : MAX_PRE_AUTH_MESSAGE_LENGTH;
  }

  connected(connection: ClientConnection): void {
    this.server.clientOf(connection);
  }

  disconnected(connection: ClientConnection): void {
    const client = this.server.clients.get(connection);
    client?.operation?.interrupt.kill(new CommandError(279, 'operation was interrupted because a client disconnected'));
    this.server.clients.delete(connection);
  }

  private parse(request: RequestMessage, connection: ClientConnection): { op: Operation; command: Command } {
    const { server } = this;
    assertBsonSize(request.body); // what it carries beside that are documents of their own
    const { rest, documents } = splitDocuments(request);
    const args = decodeDoc(rest);
    const [commandName] = args.keys();
    if (commandName === undefined) throw new CommandError('CommandNotFound', "no such command: ''");
    const db = request.legacyDatabase ?? stringArgument(args, '$db');
    if (db === undefined) throw new CommandError(40571, 'OP_MSG requests require a $db argument');
    const client = server.clientOf(connection);
    const command = findCommand(commandName);
    if (server.credentials.isAuthenticationRequired) requireAuthentication(client, command, commandName);
    if (!command) throw new CommandError('CommandNotFound', `no such command: '${commandName}'`);
    if (request.isLegacy && command.name !== 'hello') {
      throw new CommandError(
        352,
        `Unsupported OP_QUERY command: ${commandName}. The client driver may require an upgrade.`,
      );
    }
    client.note(command);
    const generic = parseGenericArguments(args, client.owner);
    checkConcerns(command, commandName, generic);
    checkApiVersion(server, command, commandName, args);
    if (command.isAdminOnly && db !== 'admin') {
      throw new CommandError('Unauthorized', `${commandName} may only be run against the admin database.`);
    }
    for (const [field, sequence] of request.sequences) {
      if (documents && field === 'documents') continue;
      if (args.has(field)) throw new CommandError(40413, `BSON field '${commandName}.${field}' is a duplicate field`);
      args.set(field, sequence.map(decodeDoc));
    }
    checkArguments(command, commandName, args);
    authorize(server.credentials, client, command, commandName, db, args);
    const op = new Operation(
      server.nextOperationId(),
      server,
      client,
      command,
      commandName,
      db,
      args,
      generic,
      request,
      documents,
    );
    return { op, command };
  }

  private finish(op: Operation, reply?: ReplyDoc, error?: unknown): Reply | undefined {
    this.server.operations.delete(op.id);
    op.client.operation = undefined;
    op.releaseSnapshot();
    if (op.isAnswerLost) return undefined;
    const failure = reply ? undefined : asCommandError(error);
    this.server.profiler.note(op, reply, failure);
    const final = reply ?? errorReply(this.server, failure!, op);
    if (reply) finishReply(op, reply);
    const body = encodeDoc(final as Doc);
    return reply && op.isRepeated ? { body, next: () => this.handle(op.request, op.client.connection) } : { body };
  }
}

const asCommandError = (error: unknown): CommandError =>
  error instanceof CommandError
    ? error
    : new CommandError('InternalError', error instanceof Error ? error.message : String(error));
