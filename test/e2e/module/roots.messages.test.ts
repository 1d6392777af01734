import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Inject, UseGuards, UseInterceptors, type INestApplication } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { fromPayload, PolyMongoModule, TenantGuard, TenantInterceptor } from 'nestjs-polymongo';
import { uniqueName } from '../../support/database-names.js';
import { startHttpApp } from '../../support/http-app.js';
import { Loopback } from '../../support/loopback.transport.js';
import { Note, NoteSchema } from '../../support/notes.js';
import { AUDIT, rootOptions, TwoRoots, type TenantPair } from '../../support/roots-app.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

@Controller()
class Messages {
  constructor(@Inject(TwoRoots) readonly two: TwoRoots) {}

  @MessagePattern('none')
  none() {
    return this.two.whose().catch((error: Error) => error.message);
  }

  @MessagePattern('main')
  @UseInterceptors(TenantInterceptor)
  main() {
    return [this.two.main.state, this.two.audit.state];
  }

  @MessagePattern('both')
  @UseInterceptors(TenantInterceptor, TenantInterceptor.of(AUDIT))
  both() {
    return this.two.whose();
  }

  @MessagePattern('guarded')
  @UseGuards(TenantGuard.of(AUDIT), TenantGuard)
  guarded() {
    return this.two.whose();
  }
}

describe('a message to an application of two roots', () => {
  let server: TestServer;
  let app: INestApplication;
  const loopback = new Loopback();

  beforeAll(async () => {
    server = await startTestServer();
    const prefix = uniqueName('roots');
    const root = (name: 'main' | typeof AUDIT) => {
      const { tenant, ...options } = rootOptions(server.uri, name, prefix);
      return { ...options, tenant: { ...tenant, resolve: fromPayload(name) } };
    };
    app = await startHttpApp(
      {
        imports: [
          PolyMongoModule.forRoot({ name: AUDIT, ...root(AUDIT) }),
          PolyMongoModule.forRoot(root('main')),
          PolyMongoModule.forFeature([{ name: Note.name, schema: NoteSchema }]),
          PolyMongoModule.forFeature([{ name: Note.name, schema: NoteSchema.clone() }], AUDIT),
        ],
        controllers: [Messages],
        providers: [TwoRoots],
      },
      'Express',
      (created) => void created.connectMicroservice({ strategy: loopback }),
    );
    await app.startAllMicroservices();
  });
  afterAll(async () => {
    await app?.close();
    await server?.stop();
  });

  /** The message comes in the context of somebody who has a tenant of each root. */
  const ask = (pattern: string, pair: Partial<TenantPair>) => {
    const two = app.get(TwoRoots);
    return two.main.run('umbrella', () => two.audit.run('initech', () => loopback.ask(pattern, pair)));
  };

  it('has no tenant of either where nobody asks', async () => {
    expect(await ask('none', { main: 'acme', audit: 'globex' })).toMatch(/^No tenant/);
  });

  it('has one of the root whose resolvers are asked', async () => {
    expect(await ask('main', { main: 'acme', audit: 'globex' })).toEqual(['acme', 'none']);
  });

  it.each(['both', 'guarded'])('has one of each where both are asked: %s', async (pattern) => {
    const pairs = ['acme', 'globex'].flatMap((main) => ['acme', 'globex'].map((audit) => ({ main, audit })));
    const answers = await Promise.all(pairs.map((pair) => ask(pattern, pair)));
    expect(answers).toEqual(pairs.map((pair) => ({ ...pair, notes: [], audits: [] })));
  });
});
