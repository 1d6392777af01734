import { Metadata } from '@grpc/grpc-js';
import { ClientProxyFactory, Transport, type ClientGrpc, type ClientProxy } from '@nestjs/microservices';
import { firstValueFrom, lastValueFrom, timeout, type Observable } from 'rxjs';
import { io, type Socket } from 'socket.io-client';
import type { FuzzApp } from './fuzz-app.js';
import { FuzzHappenings } from './fuzz-events.js';
import { ANSWER_MS, FuzzWork, NOBODY, pick, random, TENANTS } from './fuzz-work.js';
import { GraphqlSubscriber } from './graphql-subscriber.js';

/** Paths that answer with an error. */
const FAILING = ['fails', 'rolls-back'];
/** One client in eleven names no tenant. */
const CLIENTS = [...TENANTS, ...Array<string>(5).fill(NOBODY)];

type Kind = (tenant: string) => Promise<void>;

/** Whoever sends something to the application: tenants, and those who name none. */
export class FuzzClients {
  readonly #work: FuzzWork;
  readonly #tcp: ClientProxy;
  readonly #grpc: ClientGrpc & { close(): void };
  readonly #sockets = new Map<string, Socket>();
  readonly #subscribers = new Map<string, GraphqlSubscriber>();
  #count = 0;

  private constructor(readonly fuzzed: FuzzApp) {
    this.#work = fuzzed.app.get(FuzzWork);
    const options = { host: '127.0.0.1', port: fuzzed.tcpPort };
    this.#tcp = ClientProxyFactory.create({ transport: Transport.TCP, options });
    this.#grpc = ClientProxyFactory.create(fuzzed.grpc) as never;
  }

  static async start(fuzzed: FuzzApp): Promise<FuzzClients> {
    const clients = new FuzzClients(fuzzed);
    // On Fastify, Mercurius answers each upgrade of the server, socket.io's too.
    const transports = fuzzed.adapter === 'Fastify' ? ['polling'] : ['websocket'];
    for (const client of new Set(CLIENTS)) {
      const options = { extraHeaders: headersOf(client), forceNew: true, transports };
      clients.#sockets.set(client, io(`http://127.0.0.1:${fuzzed.httpPort}`, options));
      const tenant = client === NOBODY ? undefined : client;
      clients.#subscribers.set(client, await GraphqlSubscriber.connect(`127.0.0.1:${fuzzed.httpPort}`, tenant));
    }
    const connected = (socket: Socket) =>
      socket.connected || new Promise<void>((resolve) => socket.once('connect', resolve));
    await Promise.all([...clients.#sockets.values()].map(connected));
    return clients;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.values()) socket.disconnect();
    for (const subscriber of this.#subscribers.values()) await subscriber.close();
    await this.#tcp.close();
    this.#grpc.close();
  }

  /** Every way that something is done, by what it does; each for somebody at random. */
  get kinds(): [name: string, kind: () => Promise<void>][] {
    const happenings = this.fuzzed.app.get(FuzzHappenings);
    const work = this.#work;
    const fromClients: Record<string, Kind> = {
      get: (tenant) => this.#call(tenant, 'get'),
      post: (tenant) => this.#post(tenant, 'post', { tenant }),
      failing: (tenant) => this.#call(tenant, 'fails'),
      'rolled back': (tenant) => this.#call(tenant, 'rolls-back'),
      aborted: (tenant) => this.#call(tenant, 'get', { signal: AbortSignal.timeout(1 + random(5)) }),
      events: (tenant) => this.#call(tenant, 'events'),
      socket: (tenant) => this.#ask(tenant),
      tcp: (tenant) => this.#send(tenant),
      'tcp event': (tenant) => this.#emit(tenant),
      grpc: (tenant) => this.#who(tenant),
      'graphql query': (tenant) => this.#graphql(tenant, `{ tenant(of: "${tenant}") }`),
      'graphql mutation': (tenant) => this.#graphql(tenant, `mutation { write(of: "${tenant}") }`),
      'graphql subscription': (tenant) => this.#subscribe(tenant),
      'graphql query over a WebSocket': (tenant) => this.#askSocket(tenant),
    };
    const inside: Record<string, Kind> = {
      job: (tenant) => work.job(tenant),
      nested: (tenant) => work.nested(tenant),
      timer: (tenant) => work.timer(tenant),
      generator: (tenant) => work.generator(tenant),
      stream: (tenant) => work.stream(tenant),
      cursor: (tenant) => work.cursor(tenant),
      'job of a queue': (tenant) => happenings.bull(tenant),
      'command with a saga': (tenant) => happenings.command(tenant),
      query: (tenant) => happenings.query(tenant),
    };
    const forOneOf = (who: readonly string[], kinds: Record<string, Kind>) =>
      Object.entries(kinds).map(([name, kind]): [string, () => Promise<void>] => [name, () => kind(pick(who))]);
    return [...forOneOf(CLIENTS, fromClients), ...forOneOf(TENANTS, inside)];
  }

  #answered(tenant: string, seen: unknown): void {
    if (seen !== tenant) this.#work.crossings.push(`${tenant} was answered as ${String(seen)}`);
  }

  async #call(tenant: string, path: string, init: RequestInit = {}): Promise<void> {
    const headers = { ...headersOf(tenant), 'content-type': 'application/json' };
    const answer = await fetch(`http://127.0.0.1:${this.fuzzed.httpPort}/${path}`, { ...init, headers });
    const text = await answer.text();
    for (const [, seen] of text.matchAll(/"(?:tenant|write)":"(\w+)"/g)) this.#answered(tenant, seen);
    if (text.includes('"errors"') || (!answer.ok && !FAILING.includes(path))) throw new Error(text);
  }

  #post(tenant: string, path: string, body: object): Promise<void> {
    return this.#call(tenant, path, { method: 'POST', body: JSON.stringify(body) });
  }

  #graphql(tenant: string, query: string): Promise<void> {
    return this.#post(tenant, 'graphql', { query });
  }

  async #ask(tenant: string): Promise<void> {
    const answer = (await this.#sockets.get(tenant)!.timeout(ANSWER_MS).emitWithAck('message', {})) as Answer;
    this.#answered(tenant, answer.tenant);
  }

  async #send(tenant: string): Promise<void> {
    const answer = this.#tcp.send<Answer>('message', payloadOf(tenant)).pipe(timeout(ANSWER_MS));
    this.#answered(tenant, (await firstValueFrom(answer)).tenant);
  }

  async #who(tenant: string): Promise<void> {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(headersOf(tenant))) metadata.set(name, value);
    const orders = this.#grpc.getService<Orders>('Orders');
    this.#answered(tenant, (await firstValueFrom(orders.who({ page: 1 }, metadata).pipe(timeout(ANSWER_MS)))).tenant);
  }

  async #emit(tenant: string): Promise<void> {
    const told = `event ${this.#count++}`;
    const happened = this.#work.until(told);
    await Promise.all([
      happened,
      lastValueFrom(this.#tcp.emit('event', { ...payloadOf(tenant), told }), { defaultValue: undefined }),
    ]);
  }

  async #subscribe(tenant: string): Promise<void> {
    const told = await this.#subscribers.get(tenant)!.first(`subscription { told(of: "${tenant}") }`);
    this.#answered(tenant, (told as { told: string }).told);
  }

  async #askSocket(tenant: string): Promise<void> {
    const query = `{ one: asked(of: "${tenant}") two: asked(of: "${tenant}") }`;
    const answer = (await this.#subscribers.get(tenant)!.first(query)) as object;
    for (const seen of Object.values(answer)) this.#answered(tenant, seen);
  }
}

interface Answer {
  tenant: string;
}

interface Orders {
  who(question: { page: number }, metadata: Metadata): Observable<Answer>;
}

const headersOf = (client: string): Record<string, string> => (client === NOBODY ? {} : { 'x-tenant-id': client });
const payloadOf = (client: string): { tenant?: string } => (client === NOBODY ? {} : { tenant: client });
