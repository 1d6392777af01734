import {
  Body,
  Controller,
  Get,
  Inject,
  Injectable,
  Post,
  Sse,
  UseInterceptors,
  type INestApplication,
} from '@nestjs/common';
import { MessagePattern, Payload, Transport } from '@nestjs/microservices';
import { GraphQLModule, Query, Resolver } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  fromHeader,
  InjectTenantModel,
  PolyMongoTenants,
  TenantContext,
  TenantInterceptor,
  WithTenant,
  type PolyMongoOptions,
  type TenantModel,
  type TenantOptions,
} from 'nestjs-polymongo';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { interval, lastValueFrom, map, mergeMap, take, toArray } from 'rxjs';
import { startHttpApp, type AdapterName } from './http-app.js';
import { Note, notesModules } from './notes.js';

export const TENANTS = Array.from({ length: 50 }, (_, i) => `t${i}`);
export const random = (below: number): number => Math.floor(Math.random() * below);
export const pick = <T>(from: readonly T[]): T => from[random(from.length)]!;
const pause = (belowMS = 4) => new Promise<void>((resolve) => setTimeout(resolve, random(belowMS)));

/** What every way in ends in: it writes and reads as the current tenant, and tells what it finds of another one. */
@Injectable()
export class FuzzWork {
  /** Everything that was found where another tenant's should have been. */
  readonly crossings: string[] = [];

  constructor(
    @InjectTenantModel(Note.name) readonly notes: TenantModel<Note>,
    @Inject(TenantContext) readonly context: TenantContext,
    @Inject(PolyMongoTenants) readonly tenants: PolyMongoTenants,
  ) {}

  /** As a request whose tenant only the context knows. */
  asCurrent(): Promise<string> {
    return this.as(this.context.require());
  }

  /** @param tenant who the current one has to be */
  async as(tenant: string): Promise<string> {
    await pause();
    if (this.context.current() !== tenant) this.crossings.push(`${tenant} ran as ${this.context.current()}`);
    await this.notes.create({ tenant: this.context.require() });
    const wrong = await this.notes.findOne({ tenant: { $ne: tenant } }).lean();
    if (wrong) this.crossings.push(`${tenant} found a document of ${wrong.tenant}`);
    return tenant;
  }

  @WithTenant((tenant: string) => tenant)
  async job(tenant: string): Promise<void> {
    await this.as(tenant);
  }

  async nested(tenant: string): Promise<void> {
    const other = pick(TENANTS);
    await this.tenants.run(tenant, async () => {
      await Promise.all([this.tenants.run(other, () => this.as(other)), this.as(tenant)]);
      await this.as(tenant);
    });
  }

  async timer(tenant: string): Promise<void> {
    await this.tenants.run(
      tenant,
      () => new Promise((resolve, reject) => setTimeout(() => this.as(tenant).then(resolve, reject), random(5))),
    );
  }

  async generator(tenant: string): Promise<void> {
    const work = () => this.as(tenant);
    const steps = this.context.run(tenant, async function* () {
      yield await work();
      yield await work();
    });
    await this.context.run(pick(TENANTS), async () => {
      for await (const seen of steps) if (seen !== tenant) this.crossings.push(`${tenant} was given ${seen}`);
    });
  }

  async stream(tenant: string): Promise<void> {
    const seen = this.context.run(tenant, () =>
      interval(1).pipe(
        take(2),
        mergeMap(() => this.as(tenant)),
        map(() => this.context.current()),
        toArray(),
      ),
    );
    for (const current of await this.context.run(pick(TENANTS), () => lastValueFrom(seen))) {
      if (current !== tenant) this.crossings.push(`${tenant} streamed as ${current}`);
    }
  }

  async cursor(tenant: string): Promise<void> {
    await this.tenants.run(tenant, async () => {
      await this.as(tenant);
      for await (const note of this.notes.find().limit(5).cursor()) {
        if (note.tenant !== tenant) this.crossings.push(`${tenant} read ${note.tenant}`);
      }
    });
  }
}

@Controller()
class FuzzController {
  constructor(@Inject(FuzzWork) readonly work: FuzzWork) {}

  @Get('get')
  async get() {
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

  @Sse('events')
  events() {
    return interval(1).pipe(
      take(2),
      mergeMap(async () => ({ data: { tenant: await this.work.asCurrent() } })),
    );
  }

  @MessagePattern('message')
  @UseInterceptors(TenantInterceptor)
  async message(@Payload() _: { tenant: string }) {
    await pause();
    return { tenant: await this.work.asCurrent() };
  }
}

@WebSocketGateway()
@UseInterceptors(TenantInterceptor)
class FuzzGateway {
  constructor(@Inject(FuzzWork) readonly work: FuzzWork) {}

  @SubscribeMessage('message')
  async message() {
    return { tenant: await this.work.asCurrent() };
  }
}

@Resolver()
class FuzzResolver {
  constructor(@Inject(FuzzWork) readonly work: FuzzWork) {}

  @Query(() => String)
  tenant() {
    return this.work.asCurrent();
  }
}

export interface FuzzApp {
  app: INestApplication<Server>;
  httpPort: number;
  /** Of its microservice. */
  tcpPort: number;
}

/** An application with every way in; GraphQL on Fastify alone. */
export async function startFuzzApp(
  mongoURI: string,
  adapter: AdapterName,
  tenant: TenantOptions = {},
  limits: Partial<PolyMongoOptions> = {},
): Promise<FuzzApp> {
  const resolve: TenantOptions['resolve'] = [
    fromHeader('x-tenant-id'),
    ({ data }) => (data as { tenant?: string } | undefined)?.tenant,
  ];
  const isFastify = adapter === 'Fastify';
  const graphql = GraphQLModule.forRoot<MercuriusDriverConfig>({ driver: MercuriusDriver, autoSchemaFile: true });
  const modules = notesModules(mongoURI, { resolve, ...tenant }, limits);
  const app = (await startHttpApp(
    {
      imports: isFastify ? [...modules, graphql] : modules,
      controllers: [FuzzController],
      providers: [FuzzWork, FuzzGateway, ...(isFastify ? [FuzzResolver] : [])],
    },
    adapter,
  )) as unknown as INestApplication<Server>;
  const service = app.connectMicroservice({ transport: Transport.TCP, options: { port: 0, host: '127.0.0.1' } });
  await app.startAllMicroservices();
  const portOf = (listening: { address(): unknown }) => (listening.address() as AddressInfo).port;
  return { app, httpPort: portOf(app.getHttpServer()), tcpPort: portOf(service.unwrap<Server>()) };
}
