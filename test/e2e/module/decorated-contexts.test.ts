import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Module } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  getPolyModelToken,
  MemoryTokenStore,
  OnChange,
  OnDbConnect,
  OnDbDisconnect,
  OnDbError,
  PolyMongoTransactions,
  PolyMongoWrapper,
  TenantContext,
  type PolyModel,
} from 'nestjs-polymongo';
import { Note, notesModules } from '../../support/notes.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';
import { waitFor } from '../../support/wait-for.js';

/** What an application keeps of a request: its id, say. */
const request = new AsyncLocalStorage<string>();
const NAME = 'decorated_contexts';
/** By what was called: the request, the tenant and the transaction that it was called in. */
let seen: Record<string, unknown[]>;

abstract class Looking {
  constructor(
    @Inject(TenantContext) readonly context: TenantContext,
    @Inject(PolyMongoTransactions) readonly transactions: PolyMongoTransactions,
  ) {}
  look(what: string): void {
    const transaction = this.transactions.session && 'in a transaction';
    (seen[what] ??= []).push([request.getStore(), this.context.state, transaction]);
  }
}

const tokens = new MemoryTokenStore();
/** A token store, and what a stream tells of itself, called wherever it is. */
let lookOutside: (what: string) => void = () => {};
const stream = {
  db: NAME,
  model: Note.name,
  onOpen: () => lookOutside('onOpen'),
  tokenStore: {
    load: async (key: string) => (lookOutside('load'), tokens.load(key)),
    save: async (key: string, token: unknown) => (lookOutside('save'), tokens.save(key, token)),
    delete: async () => {},
  },
};

@Injectable()
class Decorated extends Looking {
  @OnDbConnect()
  connected() {
    this.look('@OnDbConnect()');
  }
  @OnDbConnect(NAME)
  thisConnected() {
    this.look('@OnDbConnect(name)');
  }
  @OnDbDisconnect(NAME)
  disconnected() {
    this.look('@OnDbDisconnect(name)');
    throw new Error('broken');
  }
  @OnDbError()
  failed() {
    this.look('@OnDbError()');
  }
  @OnDbError(NAME)
  thisFailed() {
    this.look('@OnDbError(name)');
  }
  @OnChange(stream)
  changed() {
    this.look('@OnChange()');
  }
}

@Injectable()
class Lazy extends Looking {
  @OnDbConnect(NAME)
  connected() {
    this.look('@OnDbConnect() of a lazy module');
  }
  @OnChange({ model: Note.name, db: NAME, onOpen: () => lookOutside('onOpen of a lazy module') })
  changed() {
    this.look('@OnChange() of a lazy module');
  }
}
@Module({ providers: [Lazy] })
class LazyModule {}

describe('a decorated method runs in nobody’s context, whoever starts the application and causes the event', () => {
  let server: TestServer;
  let module: TestingModule;

  beforeAll(async () => {
    server = await startTestServer();
  });
  beforeEach(async () => {
    seen = {};
    module = await Test.createTestingModule({
      imports: notesModules(server.uri, {}),
      providers: [Decorated],
    }).compile();
    lookOutside = (what) => module.get(Decorated).look(what);
    await starting(() => module.init());
  });
  afterEach(() => module.close());
  afterAll(() => server.stop());

  const starting = <T>(fn: () => T): T => request.run('who starts', () => module.get(TenantContext).run('acme', fn));
  const causing = <T>(fn: () => Promise<T>): Promise<T> =>
    request.run('who causes', () =>
      module.get(TenantContext).run('globex', () => module.get(PolyMongoTransactions).run(fn)),
    );
  const until = (...what: string[]) => waitFor(() => what.every((each) => seen[each]));
  const expectNobody = () => {
    const contexts = new Set(Object.values(seen).flatMap((all) => all.map((each) => JSON.stringify(each))));
    expect({ seen, contexts }).toEqual({ seen, contexts: new Set([JSON.stringify([undefined, 'none', undefined])]) });
  };
  const write = () =>
    request.run('who causes', () =>
      module
        .get(TenantContext)
        .run('globex', () =>
          module.get<PolyModel<Note>>(getPolyModelToken(Note.name)).db(NAME).create({ tenant: 'none' }),
        ),
    );

  it('of a connection’s events', async () => {
    const { pools } = module.get(PolyMongoWrapper);
    await until('onOpen'); // the database has been connected for the stream
    await pools.disconnect(NAME, 'test');
    await until('@OnDbError(name)');
    seen = {};
    await causing(() => pools.connect(NAME));
    await until('@OnDbConnect()', '@OnDbConnect(name)');
    await causing(() => pools.disconnect(NAME, 'test'));
    await until('@OnDbDisconnect(name)', '@OnDbError()', '@OnDbError(name)');
    expectNobody();
  });

  it('of a change, with its token store and callbacks', async () => {
    await until('onOpen');
    await write();
    await until('@OnChange()', 'load', 'save');
    expectNobody();
  });

  it('of a lazily loaded module', async () => {
    const { pools } = module.get(PolyMongoWrapper);
    await until('onOpen');
    await pools.disconnect(NAME, 'test');
    seen = {};
    await causing(() => module.get(LazyModuleLoader).load(() => LazyModule));
    await until('onOpen of a lazy module', '@OnDbConnect() of a lazy module');
    await write();
    await until('@OnChange() of a lazy module');
    expectNobody();
  });
});
