import {
  Body,
  Controller,
  Get,
  Inject,
  Module,
  Post,
  Query,
  Sse,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type INestApplication,
  type MiddlewareConsumer,
  type NestModule,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { CqrsModule } from '@nestjs/cqrs';
import {
  EventPattern,
  GrpcMethod,
  MessagePattern,
  Payload,
  Transport,
  type GrpcOptions,
  type MicroserviceOptions,
} from '@nestjs/microservices';
import { Args, Mutation, Query as Field, Resolver, Subscription } from '@nestjs/graphql';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { TenantInterceptor, type PolyMongoOptions, type TenantOptions } from 'nestjs-polymongo';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { interval, mergeMap, take } from 'rxjs';
import { FUZZ_EVENTS } from './fuzz-events.js';
import {
  detourHooks,
  FuzzFilter,
  FuzzGuard,
  FuzzMiddleware,
  FuzzPipe,
  InnerInterceptor,
  OuterInterceptor,
  reopen,
  TransactionInterceptor,
} from './fuzz-stages.js';
import { FuzzWork, NOBODY, pause } from './fuzz-work.js';
import { grpcOptions } from './grpc-options.js';
import { startHttpApp, type AdapterName } from './http-app.js';
import { notesModules } from './notes.js';
import { headerOrMessage } from './message-tenants.js';
import { graphqlModule } from './graphql-module.js';

@Controller()
@UseGuards(FuzzGuard)
@UseInterceptors(OuterInterceptor, TenantInterceptor, InnerInterceptor)
@UsePipes(FuzzPipe)
class FuzzController {
  constructor(@Inject(FuzzWork) readonly work: FuzzWork) {}

  @Get('get')
  async get(@Query('q') _?: string) {
    return { tenant: await this.work.asCurrent() };
  }

  @Post('post')
  async post(@Body() { tenant }: { tenant: string }) {
    const [one, two] = await Promise.all([this.work.as(tenant), this.work.as(tenant)]);
    return { tenant: one === two ? one : 'mixed' };
  }

  @Get('fails')
  async fails() {
    await this.work.asCurrent();
    throw new Error('as it should');
  }

  /** What the others' requests go on in is opened in its transaction. */
  @Get('rolls-back')
  @UseInterceptors(TransactionInterceptor, InnerInterceptor)
  @UseFilters(FuzzFilter)
  async rollsBack() {
    await this.work.writeInVain();
    await reopen();
    await pause(100);
    throw new Error('as it should');
  }

  @Sse('events')
  events() {
    return interval(1).pipe(
      take(2),
      mergeMap(async () => ({ data: { tenant: await this.work.asCurrent() } })),
    );
  }

  @MessagePattern('message')
  async message(@Payload() _: { tenant?: string }) {
    await pause();
    return { tenant: await this.work.asCurrent() };
  }

  @GrpcMethod('Orders', 'Who')
  async who() {
    await pause();
    return { tenant: await this.work.asCurrent() };
  }

  @EventPattern('event')
  async event(@Payload() { tenant = NOBODY, told }: { tenant?: string; told: string }) {
    await this.work.as(tenant);
    this.work.tell(told);
  }
}

@WebSocketGateway()
@UseGuards(FuzzGuard)
@UseInterceptors(OuterInterceptor, TenantInterceptor, InnerInterceptor)
@UsePipes(FuzzPipe)
class FuzzGateway {
  constructor(@Inject(FuzzWork) readonly work: FuzzWork) {}

  @SubscribeMessage('message')
  async message() {
    return { tenant: await this.work.asCurrent() };
  }
}

@Resolver()
@UseGuards(FuzzGuard)
@UseInterceptors(OuterInterceptor, InnerInterceptor)
@UsePipes(FuzzPipe)
class FuzzResolver {
  constructor(@Inject(FuzzWork) readonly work: FuzzWork) {}

  @Field(() => String)
  tenant(@Args('of', { type: () => String }) _: string) {
    return this.work.asCurrent();
  }

  @Field(() => String)
  @UseInterceptors(TenantInterceptor)
  asked(@Args('of', { type: () => String }) _: string) {
    return this.work.asCurrent();
  }

  @Mutation(() => String)
  write(@Args('of', { type: () => String }) tenant: string) {
    return this.work.as(tenant);
  }

  @Subscription(() => String, { resolve: (tenant: string) => tenant })
  @UseInterceptors(TenantInterceptor)
  async *told(@Args('of', { type: () => String }) tenant: string) {
    yield await this.work.as(tenant);
  }
}

export interface FuzzApp {
  adapter: AdapterName;
  app: INestApplication<Server>;
  httpPort: number;
  /** Of its microservices. */
  tcpPort: number;
  grpc: GrpcOptions;
}

/** The stages of the whole application, beside those of its classes. */
const GLOBAL = [
  { provide: APP_GUARD, useClass: FuzzGuard },
  { provide: APP_INTERCEPTOR, useClass: OuterInterceptor },
  { provide: APP_PIPE, useClass: FuzzPipe },
  { provide: APP_FILTER, useClass: FuzzFilter },
];

@Module({ providers: [FuzzWork, ...GLOBAL, ...FUZZ_EVENTS], exports: [FuzzWork] })
class FuzzModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(FuzzMiddleware, FuzzMiddleware).forRoutes('*path');
  }
}

/** An application with every way in. */
export async function startFuzzApp(
  mongoURI: string,
  adapter: AdapterName,
  tenant: TenantOptions = {},
  limits: Partial<PolyMongoOptions> = {},
): Promise<FuzzApp> {
  const modules = notesModules(mongoURI, { resolve: headerOrMessage, ...tenant }, limits);
  const app = (await startHttpApp(
    {
      imports: [{ module: FuzzModule, imports: [...modules, CqrsModule.forRoot()] }, graphqlModule(adapter)],
      controllers: [FuzzController],
      providers: [FuzzGateway, FuzzResolver],
    },
    adapter,
    (created) => {
      if (adapter === 'Fastify') detourHooks(created.getHttpAdapter().getInstance());
    },
  )) as unknown as INestApplication<Server>;
  const grpc = await grpcOptions();
  const [service] = [{ transport: Transport.TCP as const, options: { port: 0, host: '127.0.0.1' } }, grpc].map(
    (options) => app.connectMicroservice<MicroserviceOptions>(options, { inheritAppConfig: true }),
  );
  await app.startAllMicroservices();
  const portOf = (listening: { address(): unknown }) => (listening.address() as AddressInfo).port;
  return { app, adapter, httpPort: portOf(app.getHttpServer()), tcpPort: portOf(service!.unwrap<Server>()), grpc };
}
