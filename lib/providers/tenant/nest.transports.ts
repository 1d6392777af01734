import type { WebSocketAdapter, WsMessageHandler } from '@nestjs/common';
import type { PipelineStages } from './pipeline.stages.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a handler of any transport
type Handler = (...args: any[]) => unknown;

/** What of a microservice's server this touches. */
export interface RpcServer {
  addHandler(pattern: unknown, callback: Handler, ...rest: unknown[]): unknown;
}

/** Has the handlers that a server is given begin a message each. */
export function beginMessages(server: RpcServer, stages: PipelineStages): void {
  const { addHandler } = server;
  // A proxy, as servers write on their handlers, and Nest reads there what was written.
  const begin = (callback: Handler): Handler =>
    new Proxy(callback, {
      apply: (handler, self, args) => stages.message(() => Reflect.apply(handler, self, args) as unknown),
    });
  server.addHandler = (pattern, callback, ...rest) => addHandler.call(server, pattern, begin(callback), ...rest);
}

/** An adapter of gateways as they see it: what it tells them of begins as what it is. The adapter stays as it is. */
export function adapterIn<A extends WebSocketAdapter>(adapter: A, stages: PipelineStages): A {
  const connection =
    (callback: Handler): Handler =>
    (...args) =>
      stages.connection(() => callback(...args));
  const message = (handler: WsMessageHandler): WsMessageHandler => ({
    ...handler,
    callback: (...args: unknown[]) => stages.message(() => handler.callback(...args)),
  });
  const told: Partial<Record<PropertyKey, Handler>> = {
    bindClientConnect: (server: unknown, callback: Handler) => adapter.bindClientConnect(server, connection(callback)),
    bindMessageHandlers: (client: unknown, handlers: WsMessageHandler[], transform: never) =>
      adapter.bindMessageHandlers(client, handlers.map(message), transform),
    ...(adapter.bindClientDisconnect && {
      bindClientDisconnect: (client: unknown, callback: Handler) =>
        adapter.bindClientDisconnect!(client, connection(callback)),
    }),
  };
  return new Proxy(adapter, {
    get(target, key) {
      const member = Reflect.get(target, key, target) as unknown;
      return Object.hasOwn(told, key) ? told[key] : typeof member === 'function' ? member.bind(target) : member;
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
}
