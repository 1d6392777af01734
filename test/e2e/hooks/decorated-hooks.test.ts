import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable, Module, Scope, type OnModuleInit } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import type { Connection } from 'mongoose';
import { OnDbConnect, OnDbDisconnect, OnDbError, PolyMongoModule, PolyMongoPools } from 'nestjs-polymongo';
import { uniqueName } from '../../support/database-names.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';
import { waitFor } from '../../support/wait-for.js';

const [main, special] = [uniqueName('hooks_main'), 'hooks_special'];
let heard: string[] = [];

@Injectable()
class Listener {
  @OnDbConnect()
  onAny(connection: Connection): void {
    heard.push(`any ${connection.name} ${connection.readyState}`);
  }

  @OnDbConnect(special)
  @OnDbDisconnect(special)
  onSpecial(connection: Connection): void {
    heard.push(`special ${connection.readyState}`);
    if (connection.readyState === 3) throw new Error('the hook is broken');
  }

  @OnDbError()
  onError(error: Error, { db, during }: { db: string; during: string }): void {
    heard.push(`error ${db}: ${error.message}, ${during}`);
  }
}

@Injectable({ scope: Scope.REQUEST })
class PerRequest {
  @OnDbConnect()
  never(): void {
    heard.push('request-scoped');
  }
}

@Injectable()
class LazyListener {
  @OnDbConnect()
  onAny(connection: Connection): void {
    heard.push(`lazy ${connection.name}`);
  }
}

@Module({ providers: [LazyListener] })
class LazyModule {}

@Injectable()
class EarlyUser implements OnModuleInit {
  constructor(private readonly pools: PolyMongoPools) {}
  async onModuleInit(): Promise<void> {
    await this.pools.connect(main);
  }
}

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

describe('decorated hooks', () => {
  it('are called for the first connection, named ones first, and for the disconnect; a broken one is told to @OnDbError', async () => {
    heard = [];
    const root = PolyMongoModule.forRoot({ mongoURI: server.uri, defaultDB: main, coldStart: false });
    const app = await Test.createTestingModule({
      imports: [root],
      providers: [Listener, PerRequest, EarlyUser],
    }).compile();
    await app.init();
    expect(heard).toEqual([`any ${main} 1`]);

    await app.get(PolyMongoPools).connect(special);
    expect(heard.slice(1)).toEqual(['special 1', `any ${special} 1`]);

    heard = [];
    await app.close();
    expect(heard.sort()).toEqual([`error ${special}: the hook is broken, on disconnect hook`, 'special 3']);
  });

  it('of a lazily loaded module are called from then on', async () => {
    heard = [];
    const root = PolyMongoModule.forRoot({ mongoURI: server.uri, defaultDB: main });
    const app = await Test.createTestingModule({ imports: [root] }).compile();
    await app.init();
    await app.get(PolyMongoPools).connect(main);
    await app.get(LazyModuleLoader).load(() => LazyModule);
    await app.get(PolyMongoPools).connect(special);
    await waitFor(() => heard.length > 0);
    expect(heard).toEqual([`lazy ${special}`]);
    await app.close();
  });
});
