import type { HttpServer } from '@nestjs/common';
import type { TenantRequest } from '../../polymongo.tenant-options.js';
import { TenantEntries } from './tenant.entries.js';
import type { Next, TenantEntry } from './tenant.entry.js';
import { RETRY_AFTER } from './tenant.errors.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a handler of either adapter
type Handler = (this: unknown, ...args: any[]) => unknown;

/** What of Fastify's instance this touches. */
interface FastifyHooks {
  addHook(
    name: 'onRequest' | 'preValidation',
    hook: (request: TenantRequest, reply: unknown, done: Next) => void,
  ): unknown;
  addHook(name: 'onRoute', hook: (route: { handler: Handler }) => void): unknown;
}

/** What of Nest's HTTP adapter this touches: Nest gives it its middleware, its routes and its last handlers. */
export type HttpAdapter = Pick<HttpServer, 'getType' | 'getInstance' | 'use'> & object;
type Registrations = Record<string, ((...args: unknown[]) => unknown) | undefined>;

/** The adapter's methods that take a route. */
const ROUTES = [
  ...['get', 'post', 'head', 'delete', 'put', 'patch', 'all', 'search', 'options', 'query'],
  ...['propfind', 'proppatch', 'mkcol', 'copy', 'move', 'lock', 'unlock'],
];

/** On the adapter: the entries that it calls. Shared by our ESM and CommonJS builds. */
const ENTRIES: unique symbol = Symbol.for('polymongo.tenant.entries') as never;

/**
 * Puts the entry before everything that Nest routes, beside those of the application's other roots: on Express as middleware,
 * on Fastify as a hook, which is faster than Nest's middleware there. Each middleware and each route is then called as its
 * own request again.
 */
export function enterWithEachRequest(adapter: HttpAdapter & { [ENTRIES]?: TenantEntries }, entry: TenantEntry): void {
  if (adapter[ENTRIES]) adapter[ENTRIES].add(entry);
  else install(adapter, (adapter[ENTRIES] = new TenantEntries(entry)));
}

function install(adapter: HttpAdapter, entry: TenantEntries): void {
  const registrations = adapter as unknown as Registrations;
  if (adapter.getType() === 'fastify') {
    const fastify = adapter.getInstance() as FastifyHooks;
    fastify.addHook('onRequest', (request, _reply, done) => entry.enter(request, done));
    // A body is read in the context of its socket, which is no tenant's.
    fastify.addHook('preValidation', (request, _reply, done) => entry.reenter(request, done));
    fastify.addHook('onRoute', (route) => {
      route.handler = reentering(route.handler, entry);
    });
  } else {
    adapter.use((request: TenantRequest, _response: unknown, next: Next) => entry.enter(request, next));
    for (const name of ROUTES) reenterBy(registrations, name, entry);
  }
  for (const name of ['setNotFoundHandler', 'setErrorHandler']) reenterBy(registrations, name, entry);
  sayWhenToRetry(registrations);
  const { createMiddlewareFactory } = registrations;
  registrations['createMiddlewareFactory'] = async (...args) => {
    const register = (await createMiddlewareFactory!.apply(adapter, args)) as (
      path: string,
      handler: Handler,
    ) => unknown;
    return (path: string, handler: Handler) => register(path, reentering(handler, entry));
  };
}

/** Has answers to refused calls say after how long the client may try again, as Nest's own filter would not. */
function sayWhenToRetry(registrations: Registrations): void {
  const { reply } = registrations;
  registrations['reply'] = (response, body, ...rest) => {
    const seconds = (body as { [RETRY_AFTER]?: number } | null | undefined)?.[RETRY_AFTER];
    if (seconds !== undefined) setHeader(response as HttpResponse, 'Retry-After', String(seconds));
    return reply!.call(registrations, response, body, ...rest);
  };
}

type SetHeader = (name: string, value: string) => unknown;
/** Express's or Fastify's, or Node's own. */
interface HttpResponse {
  header?: SetHeader;
  setHeader?: SetHeader;
}

const setHeader = (response: HttpResponse, name: string, value: string) =>
  response.header ? response.header(name, value) : response.setHeader?.(name, value);

/** Has handlers that the adapter gets by this method called as their request. */
function reenterBy(registrations: Registrations, name: string, entry: TenantEntries): void {
  const native = registrations[name];
  if (!native) return;
  registrations[name] = (...args) =>
    native.apply(
      registrations,
      args.map((arg) => (typeof arg === 'function' ? reentering(arg as Handler, entry) : arg)),
    );
}

/** The handler, with its name and length: Express tells handlers of errors by the latter. They get the error first. */
function reentering(handler: Handler, entry: TenantEntries): Handler {
  const at = handler.length === 4 ? 1 : 0;
  const reentered: Handler = function (...args) {
    return entry.reenter(args[at] as TenantRequest, () => handler.apply(this, args));
  };
  for (const key of Reflect.getMetadataKeys(handler) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, handler), reentered);
  }
  const { name, length } = handler;
  return Object.defineProperties(Object.assign(reentered, handler), {
    name: { value: name },
    length: { value: length },
  });
}
