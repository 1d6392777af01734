import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Injectable, Scope, type INestApplication } from '@nestjs/common';
import { Query, Resolver, Subscription } from '@nestjs/graphql';
import { MessagePattern } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { InjectPolyModel, PolyMongoTransactions, type PolyModel } from 'nestjs-polymongo';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { io } from 'socket.io-client';
import { GraphqlSubscriber } from '../../support/graphql-subscriber.js';
import { ADAPTERS, type AdapterName } from '../../support/http-app.js';
import { Loopback } from '../../support/loopback.transport.js';
import { Note, notesModules } from '../../support/notes.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';
import { graphqlModule } from '../../support/graphql-module.js';

const loopback = new Loopback();

@Injectable()
class Work {
  constructor(
    @InjectPolyModel(Note.name) readonly notes: PolyModel<Note>,
    @Inject(PolyMongoTransactions) readonly transactions: PolyMongoTransactions,
  ) {}

  /** Says of a transaction around. */
  async write(tenant: string): Promise<string> {
    await this.notes.create({ tenant });
    return this.transactions.session ? 'inside' : 'outside';
  }
}

@Injectable({ scope: Scope.REQUEST })
class MadeForEach {
  readonly made: string;
  constructor(@Inject(PolyMongoTransactions) transactions: PolyMongoTransactions) {
    this.made = transactions.session ? 'inside' : 'outside';
  }
}

@Controller()
class WorkController {
  constructor(@Inject(Work) readonly work: Work) {}

  @Get('http')
  http() {
    return this.work.write('http');
  }

  @MessagePattern('rpc')
  rpc() {
    return this.work.write('rpc');
  }

  /** Sends a message from inside of a transaction of its own, which fails. */
  @Get('relay')
  async relay() {
    const { transactions } = this.work;
    const answers: unknown[] = [];
    const rolledBack = new Error('rolled back');
    const sent = transactions.run(async () => {
      answers.push(await this.work.write('relay'), await loopback.ask('rpc', {}));
      throw rolledBack;
    });
    await sent.catch((error: unknown) => answers.push(error === rolledBack));
    return answers;
  }
}

@Controller()
class ScopedController {
  constructor(@Inject(MadeForEach) readonly scoped: MadeForEach) {}
  @Get('scoped')
  read() {
    return this.scoped.made;
  }
}

@WebSocketGateway({ destroyUpgrade: false }) // the upgrades of others, to GraphQL, are none of its business
class WorkGateway {
  constructor(@Inject(Work) readonly work: Work) {}
  #connected!: (answer: Promise<string>) => void;
  readonly connection = new Promise<string>((connected) => (this.#connected = connected));

  handleConnection() {
    this.#connected(this.work.write('connection'));
  }

  @SubscribeMessage('ws')
  ws() {
    return this.work.write('ws');
  }
}

@Resolver()
class WorkResolver {
  constructor(@Inject(Work) readonly work: Work) {}

  @Query(() => String)
  query() {
    return this.work.write('query');
  }

  @Subscription(() => String, { resolve: (value: string) => value })
  async *subscription() {
    yield await this.work.write('subscription');
  }
}

describe.each(Object.keys(ADAPTERS) as AdapterName[])(
  'what comes in the context of a transaction, on %s',
  (adapter) => {
    let server: TestServer;
    let app: INestApplication;
    let url: string;
    let rollBack: () => Promise<void>;
    const isFastify = adapter === 'Fastify';

    beforeAll(async () => {
      server = await startTestServer();
      const graphql = graphqlModule('Fastify');
      const module = await Test.createTestingModule({
        imports: [...notesModules(server.uri, {}), ...(isFastify ? [graphql] : [])],
        controllers: [WorkController, ScopedController],
        providers: [Work, MadeForEach, WorkGateway, ...(isFastify ? [WorkResolver] : [])],
      }).compile();
      app = module.createNestApplication(ADAPTERS[adapter](), { logger: ['fatal'] });
      await app.init();
      await app.get(Work).notes.createCollection();
      // Every socket is accepted in the transaction that it was listened for in.
      const rolledBack = new Error('rolled back');
      let roll!: () => void;
      const isToRoll = new Promise<void>((resolve) => (roll = resolve));
      let ended!: Promise<unknown>;
      await new Promise<void>((opened, failed) => {
        ended = app.get(PolyMongoTransactions).run(async () => {
          app.connectMicroservice({ strategy: loopback });
          await app.startAllMicroservices();
          await app.listen(0, '127.0.0.1');
          expect(await app.get(Work).write('opener')).toBe('inside');
          opened();
          await isToRoll;
          throw rolledBack;
        });
        ended.catch((error: unknown) => failed(error as Error));
      });
      rollBack = async () => {
        roll();
        await expect(ended).rejects.toBe(rolledBack);
      };
      const { port } = (app.getHttpServer() as HttpServer).address() as AddressInfo;
      url = `127.0.0.1:${port}`;
    });
    afterAll(async () => {
      await app?.close();
      await server?.stop();
    });
    const get = async (path: string) => (await fetch(`http://${url}/${path}`)).text();

    /** By each way in. */
    async function comeIn(): Promise<Record<string, unknown>> {
      const socket = io(`http://${url}`, { forceNew: true });
      const ws: unknown = await socket.emitWithAck('ws', {});
      socket.disconnect();
      const others = {
        http: await get('http'),
        scoped: await get('scoped'),
        relay: JSON.parse(await get('relay')) as unknown,
        connection: await app.get(WorkGateway).connection,
        ws,
      };
      if (!isFastify) return others;
      const response = await fetch(`http://${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: '{ query }' }),
      });
      const { data } = (await response.json()) as { data: object };
      const subscriber = await GraphqlSubscriber.connect(url, 'acme');
      const told = (await subscriber.first('subscription { subscription }')) as object;
      await subscriber.close();
      return { ...others, ...data, ...told };
    }

    it('is no part of it, while it runs and when it is over', async () => {
      const outside = {
        http: 'outside',
        scoped: 'outside',
        relay: ['inside', 'outside', true],
        connection: 'outside',
        ws: 'outside',
        ...(isFastify && { query: 'outside', subscription: 'outside' }),
      };
      expect(await comeIn()).toEqual(outside);
      await rollBack();
      expect(await comeIn()).toEqual(outside);
      const written = (await app.get(Work).notes.find().lean()).map(({ tenant }) => tenant);
      const once = ['http', 'rpc', 'ws', 'connection', ...(isFastify ? ['query', 'subscription'] : [])];
      expect(written.sort()).toEqual([...once, ...once].sort());
    });
  },
);
