import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Catch,
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Query,
  UseFilters,
  UseInterceptors,
  type ArgumentsHost,
  type CallHandler,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplication,
  type MiddlewareConsumer,
  type NestInterceptor,
  type NestModule,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { fromHeader, InjectPolyModel, PolyMongoTransactions, type PolyModel } from 'nestjs-polymongo';
import mongoose from 'mongoose';
import { concatMap, from, lastValueFrom, switchMap } from 'rxjs';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { ADAPTERS, startHttpApp, type AdapterName } from '../../support/http-app.js';
import { Note, notesModules } from '../../support/notes.js';
import { SharedResource } from '../../support/shared-resource.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

const shared = new SharedResource();
const answered = () => lastValueFrom(shared.answer());

/** What somebody else holds open while others' requests go on in its context. */
@Injectable()
class OpenTransaction {
  opened!: () => void;
  readonly whenOpen = new Promise<void>((resolve) => (this.opened = resolve));
  roll!: () => void;
  readonly whenRolledBack = new Promise<void>((resolve) => (this.roll = resolve));
}
let held: OpenTransaction;

@Injectable()
class ForeignInterceptor implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler) {
    return shared.answer().pipe(
      switchMap(() => next.handle()),
      concatMap(async (value) => {
        await answered();
        return value as unknown;
      }),
    );
  }
}

@Injectable()
class TransactionInterceptor implements NestInterceptor {
  constructor(@Inject(PolyMongoTransactions) readonly transactions: PolyMongoTransactions) {}
  intercept(_: ExecutionContext, next: CallHandler) {
    return from(this.transactions.run(() => lastValueFrom(next.handle())));
  }
}

@Catch()
class WritingFilter implements ExceptionFilter {
  constructor(
    @InjectPolyModel(Note.name) readonly notes: PolyModel<Note>,
    @Inject(HttpAdapterHost) readonly host: HttpAdapterHost,
  ) {}
  async catch(_: unknown, host: ArgumentsHost): Promise<void> {
    await this.notes.create({ tenant: 'filter' });
    this.host.httpAdapter.reply(host.getArgByIndex(1), 'told', 418);
  }
}

@Controller()
class NotesController {
  constructor(
    @InjectPolyModel(Note.name) readonly notes: PolyModel<Note>,
    @Inject(PolyMongoTransactions) readonly transactions: PolyMongoTransactions,
  ) {}

  @Get('open')
  async open() {
    await this.hold((fn) => this.transactions.run(fn));
  }

  @Get('open-native')
  async openNative() {
    await this.hold((fn) => this.notes.db.transaction(fn));
  }

  private async hold(run: (fn: () => Promise<void>) => Promise<unknown>): Promise<void> {
    const failed = new Error('rolled back');
    await run(async () => {
      await this.notes.create({ tenant: 'uncommitted' });
      await answered(); // opens it here
      held.opened();
      await held.whenRolledBack;
      throw failed;
    }).catch((error: unknown) => {
      if (error !== failed) throw error;
    });
  }

  @Get('write')
  async write(@Query('note') tenant: string) {
    await this.notes.create({ tenant });
    return this.list();
  }

  @Get('after-its-own')
  afterItsOwn(@Query('note') tenant: string) {
    return this.write(tenant);
  }

  @Get('detour')
  @UseInterceptors(ForeignInterceptor)
  detour(@Query('note') tenant: string) {
    return this.write(tenant);
  }

  @Get('fails')
  @UseFilters(WritingFilter)
  fails() {
    throw new Error('as it should');
  }

  @Get('own')
  @UseInterceptors(ForeignInterceptor, TransactionInterceptor, ForeignInterceptor)
  async own(@Query('fails') fails?: string) {
    await this.notes.create({ tenant: 'own' });
    if (fails) throw new Error('as it should');
    return { isInside: this.transactions.session !== undefined };
  }

  private async list(): Promise<string[]> {
    return (await this.notes.find().lean()).map(({ tenant }) => tenant);
  }
}

@Module({})
class MiddlewareModule implements NestModule {
  constructor(@Inject(PolyMongoTransactions) readonly transactions: PolyMongoTransactions) {}
  configure(consumer: MiddlewareConsumer): void {
    const foreign = (_: unknown, __: unknown, next: () => void) => shared.ask(() => next());
    consumer.apply(foreign, foreign).exclude('open', 'open-native').forRoutes('*path');
    const ended = async (_: unknown, __: unknown, next: () => void) => {
      await this.transactions.run(() => {
        shared.close();
        return answered(); // opens it in this transaction
      });
      shared.ask(() => next());
    };
    consumer.apply(ended).forRoutes('after-its-own');
  }
}

const CASES = (Object.keys(ADAPTERS) as AdapterName[]).flatMap((adapter) =>
  ['tenants', 'no tenants'].map((tenancy) => [adapter, tenancy] as const),
);

describe.each(CASES)("callbacks in somebody else's transaction, on %s with %s", (adapter, tenancy) => {
  let server: TestServer;
  let app: INestApplication<App>;
  let notes: PolyModel<Note>;
  let opener: Promise<unknown>;

  beforeAll(async () => {
    mongoose.set('transactionAsyncLocalStorage', true);
    server = await startTestServer();
    app = await startHttpApp(
      {
        imports: [
          ...notesModules(server.uri, tenancy === 'tenants' ? { resolve: fromHeader('x-tenant-id') } : {}),
          MiddlewareModule,
        ],
        controllers: [NotesController],
        providers: [ForeignInterceptor, TransactionInterceptor, WritingFilter],
      },
      adapter,
    );
    notes = app.get(NotesController).notes;
    await notes.createCollection();
  });
  afterAll(async () => {
    mongoose.set('transactionAsyncLocalStorage', undefined as never);
    await app?.close();
    await server?.stop();
  });
  const get = (path: string, tenant: string) => request(app.getHttpServer()).get(path).set('x-tenant-id', tenant);

  describe.each(['/open', '/open-native'])('begun by %s', (path) => {
    beforeEach(async () => {
      shared.close();
      held = new OpenTransaction();
      await notes.deleteMany();
      opener = get(path, 'acme').expect(200).then();
      await Promise.race([held.whenOpen, opener]);
    });
    afterEach(async () => {
      held.roll();
      await opener;
    });
    const rollBack = async () => {
      held.roll();
      await opener;
      return (await notes.find().lean()).map(({ tenant }) => tenant);
    };

    it.each(['/write?note=b', '/detour?note=b'])('%s is not part of it, and sees nothing of it', async (written) => {
      const { status, body } = await get(written, 'globex');
      expect({ status, body }).toEqual({ status: 200, body: ['b'] });
      expect(await rollBack()).toEqual(['b']);
    });

    it('nor is what comes when it is over', async () => {
      await rollBack();
      expect((await get('/write?note=b', 'globex')).body).toEqual(['b']);
      expect((await get('/detour?note=c', 'globex')).body).toEqual(['b', 'c']);
    });

    it('nor is what a filter writes', async () => {
      expect((await get('/fails', 'globex')).status).toBe(418);
      expect(await rollBack()).toEqual(['filter']);
    });

    it('nor is what goes on in a transaction of its own that is over part of that', async () => {
      expect((await get('/after-its-own?note=b', 'globex')).body).toEqual(['b']);
    });

    it('a transaction of the request itself holds through its stages', async () => {
      expect((await get('/own', 'globex')).body).toEqual({ isInside: true });
      expect((await get('/own?fails=1', 'globex')).status).toBe(500);
      expect(await rollBack()).toEqual(['own']);
    });
  });
});
