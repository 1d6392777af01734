import { Readable } from 'node:stream';
import type { ExecutionContext } from '@nestjs/common';
import { headersOfMessage } from './message.headers.js';
import type { PipelineCall } from './pipeline.stages.js';
import type { TenantRequest } from '../../polymongo.tenant-options.js';

interface WsClient {
  /** socket.io's; what a client sent is in its parts, `user` is what a guard put there. */
  handshake?: TenantRequest;
  request?: TenantRequest;
  user?: unknown;
  data?: { user?: unknown };
}

/** What graphql-ws knows of a connection; Apollo's driver has it where the request of an HTTP operation is. */
interface GraphqlConnection {
  extra?: { request?: TenantRequest };
  connectionParams?: unknown;
  user?: unknown;
}

interface GraphqlContext extends GraphqlConnection {
  req?: TenantRequest & GraphqlConnection;
  request?: TenantRequest;
  reply?: { request?: TenantRequest };
  /** Mercurius'. */
  _connectionInit?: unknown;
}

const NO_REQUEST: TenantRequest = { headers: {} };

/** What resolvers look at, of whatever Nest serves. */
export function requestOf(execution: ExecutionContext): TenantRequest {
  switch (execution.getType<string>()) {
    case 'http':
      return execution.switchToHttp().getRequest<TenantRequest>();
    case 'ws': {
      const client = execution.switchToWs().getClient<WsClient>();
      const handshake = client.handshake ?? client.request ?? NO_REQUEST;
      const { headers, url } = handshake;
      const data: unknown = execution.switchToWs().getData();
      const user = client.data?.user ?? client.user ?? handshake.user;
      return { headers, ...(url !== undefined && { url }), user, data };
    }
    case 'graphql': {
      const args = execution.getArgs<unknown[]>();
      const request = graphqlRequestOf(args) ?? NO_REQUEST;
      return isHandshake(request) ? operationOf(request, graphqlContextOf(args)!) : request;
    }
    default: {
      const context: unknown = execution.getArgByIndex(1);
      return {
        headers: headersOfMessage(context),
        user: userOf(context),
        data: execution.switchToRpc().getData<unknown>(),
      };
    }
  }
}

/** What a guard has left on the context of a message. Never what is in its payload: that came from the client. */
const userOf = (context: unknown): unknown =>
  typeof context === 'object' && context !== null && Object.hasOwn(context, 'user')
    ? (context as { user: unknown }).user
    : undefined;

/**
 * The HTTP request of a GraphQL operation, or the one that opened its WebSocket. The arguments of a resolver end with
 * the context and the info; those of a reference resolver do, too.
 */
export function graphqlRequestOf(args: readonly unknown[]): TenantRequest | undefined {
  const context = graphqlContextOf(args);
  const opened = context?.req?.extra?.request ?? context?.extra?.request;
  return opened ?? context?.req ?? context?.request ?? context?.reply?.request;
}

const graphqlContextOf = (args: readonly unknown[]) => args.at(-2) as GraphqlContext | null | undefined;

/** The request that opened a WebSocket, as one operation over that sees it: with what `connection_init` has brought. */
const operationOf = (handshake: TenantRequest, context: GraphqlContext): TenantRequest =>
  Object.create(handshake, {
    data: { value: context.req?.connectionParams ?? context.connectionParams ?? context._connectionInit },
    user: { value: context.req?.user ?? context.user ?? handshake.user },
  }) as TenantRequest;

/** A GraphQL operation is a subscription, by the info of its resolver. */
export function isSubscription(args: readonly unknown[]): boolean {
  const info = args.at(-1) as { operation?: { operation?: string } } | null | undefined;
  return info?.operation?.operation === 'subscription';
}

/**
 * What all stages of one message are given: its arguments. Of a GraphQL query or mutation it is what all its resolvers are
 * given, at each of its fields: graphql-js makes the values of the variables anew for each execution.
 */
export function messageOf({ type, args }: PipelineCall): object {
  if (type !== 'graphql' || isSubscription(args)) return args;
  const info = args.at(-1) as { variableValues?: object } | null | undefined;
  return info?.variableValues ?? args;
}

/** A resolver stands below the field that a GraphQL operation names: what that gave is made of it. */
export function isBelow(args: readonly unknown[]): boolean {
  const info = args.at(-1) as { path?: { prev?: unknown } } | null | undefined;
  return info?.path?.prev !== undefined;
}

/**
 * The request as Node has it, which is one object from its arrival to its end: Express gives just that, Fastify keeps it
 * inside of its own. What an application leaves in the `raw` of Express' is none.
 */
export function nodeRequestOf(request: object): object {
  if (request instanceof Readable) return request;
  const { raw } = request as { raw?: unknown };
  return raw instanceof Readable ? raw : request;
}

/**
 * A request that opens a WebSocket; what comes over it are messages, each with a tenant of its own. Node says which it took
 * for one: its headers alone make none. Of what a GraphQL context made of it, there is nothing else to be seen.
 */
export function isHandshake(request: TenantRequest): boolean {
  const node = nodeRequestOf(request) as { upgrade?: unknown };
  if (node instanceof Readable) return node.upgrade === true;
  return String(request.headers?.['upgrade']).toLowerCase() === 'websocket';
}
