import {
  applyDecorators,
  Controller,
  Get,
  Module,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type CanActivate,
  type INestApplication,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_INTERCEPTOR, HttpAdapterHost } from '@nestjs/core';
import { Query, Resolver, Subscription } from '@nestjs/graphql';
import { MessagePattern } from '@nestjs/microservices';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { PolyMongoModule, TenantContext, TenantGuard, TenantInterceptor, type TenantOptions } from 'nestjs-polymongo';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { graphqlModule } from './graphql-module.js';
import { GraphqlSubscriber } from './graphql-subscriber.js';
import { startHttpApp, type AdapterName } from './http-app.js';
import { LoopbackSockets } from './loopback.sockets.js';
import { Loopback } from './loopback.transport.js';
import type { PendingStages } from './pending-stages.js';

/** How a call comes in. */
export const WAYS = ['http', 'graphql', 'rpc', 'ws', 'subscription'] as const;
type Way = (typeof WAYS)[number];

/** What stands on the classes of an application, their methods, and itself, at random. */
export function newPlan({ below, guard, interceptor }: PendingStages) {
  const listsOf = <T>(one: T) => Array.from({ length: 3 }, () => Array.from({ length: below(3) }, () => one));
  const [guards, interceptors] = [listsOf(guard), listsOf(interceptor)];
  /** Where `TenantInterceptor` is: on the class, the method, the application or nowhere. */
  const place = below(4);
  const withAsking = (at: number) => {
    const all: (NestInterceptor | typeof TenantInterceptor)[] = [...interceptors[at]!];
    return place === at ? all.toSpliced(below(all.length + 1), 0, TenantInterceptor) : all;
  };
  /** Whether there is a `TenantGuard` on the class, and how many guards there come before it. */
  const isGuarding = below(2) === 0;
  const before = below(guards[0]!.length + 1);
  const ofClass: (CanActivate | typeof TenantGuard)[] = guards[0]!;
  return {
    place,
    isGuarding,
    before,
    guards,
    guardsOfClass: isGuarding ? ofClass.toSpliced(before, 0, TenantGuard) : ofClass,
    interceptorsOf: [withAsking(0), withAsking(1), interceptors[2]!] as const,
  };
}
export type Plan = ReturnType<typeof newPlan>;

export interface PendingApp {
  /** @returns what it was answered; `refused` */
  ask(way: Way, said: Record<string, string>): Promise<unknown>;
  close(): Promise<void>;
}

/** Starts an application whose routes, messages and fields all do the same. */
export async function startPendingApp(
  { place, guards, guardsOfClass, interceptorsOf: [ofClass, ofMethod, ofApplication] }: Plan,
  stages: PendingStages,
  adapter: AdapterName,
  tenant: TenantOptions,
): Promise<PendingApp> {
  const OnClass = () =>
    applyDecorators(UseGuards(...guardsOfClass), UseInterceptors(...ofClass), UseFilters(stages.filter));
  const OnMethod = () => applyDecorators(UseGuards(...guards[1]!), UseInterceptors(...ofMethod));
  const handled = (): string => {
    stages.probe('then');
    return 'handled';
  };

  @Controller()
  @OnClass()
  class Probed {
    @Get('probe')
    @MessagePattern('probe')
    @OnMethod()
    handle() {
      return handled();
    }
  }
  @WebSocketGateway()
  @OnClass()
  class ProbedGateway {
    @SubscribeMessage('probe')
    @OnMethod()
    handle() {
      return handled();
    }
  }
  @Resolver()
  @OnClass()
  class ProbedResolver {
    @Query(() => String)
    @OnMethod()
    probe() {
      return handled();
    }
    @Subscription(() => String, { resolve: (answer: string) => answer })
    @OnMethod()
    async *told() {
      yield handled();
    }
  }
  @Module({
    imports: [
      PolyMongoModule.forRoot({ mongoURI: 'mongodb://127.0.0.1:1', tenant }), // nothing is sent
      graphqlModule(adapter),
    ],
    controllers: [Probed],
    providers: [
      ProbedGateway,
      ProbedResolver,
      ...(place === 2 ? [{ provide: APP_INTERCEPTOR, useClass: TenantInterceptor }] : []),
    ],
  })
  class Root {}

  const [messages, sockets] = [new Loopback(), new LoopbackSockets()];
  const app = await startHttpApp({ imports: [Root] }, adapter, (created) => {
    created.useWebSocketAdapter(sockets);
    created.useGlobalGuards(...guards[2]!);
    created.useGlobalInterceptors(...ofApplication);
    created.connectMicroservice({ strategy: messages }, { inheritAppConfig: true });
  });
  stages.context = app.get(TenantContext);
  stages.adapter = app.get(HttpAdapterHost).httpAdapter;
  sockets.connect({});
  return { ask: asking(app, messages, sockets), close: () => app.close() };
}

function asking(app: INestApplication<App>, messages: Loopback, sockets: LoopbackSockets): PendingApp['ask'] {
  const context = app.get(TenantContext);
  const server = app.getHttpServer();
  const { port } = (server as Server).address() as AddressInfo;
  const inHeaders = (said: Record<string, string>) =>
    Object.fromEntries(Object.entries(said).map(([name, tenant]) => [`x-${name}`, tenant]));
  const ways: Record<Way, (said: Record<string, string>) => Promise<unknown>> = {
    http: async (said) => {
      const { status, text } = await request(server).get('/probe').set(inHeaders(said));
      return status === 200 ? text : 'refused';
    },
    graphql: async (said) => {
      const { body } = await request(server).post('/graphql').set(inHeaders(said)).send({ query: '{ probe }' });
      return (body as { data?: { probe?: string } }).data?.probe ?? 'refused';
    },
    rpc: (said) => context.run('initech', () => messages.ask('probe', said)),
    ws: async (said) => (await context.run('initech', () => sockets.ask('probe', said))) ?? 'refused',
    subscription: async (said) => {
      const subscriber = await GraphqlSubscriber.connect(`127.0.0.1:${port}`, undefined, {}, said);
      try {
        return ((await subscriber.first('subscription { told }')) as { told: string }).told;
      } catch {
        return 'refused';
      } finally {
        await subscriber.close();
      }
    },
  };
  return (way, said) => ways[way](said);
}
