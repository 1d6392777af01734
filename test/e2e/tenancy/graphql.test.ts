import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Inject, type INestApplication } from '@nestjs/common';
import { Args, Field, GraphQLModule, Mutation, ObjectType, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { fromHeader, InjectTenantModel, TenantContext, type TenantModel } from 'nestjs-polymongo';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { startHttpApp } from '../../support/http-app.js';
import { Note, notesModules } from '../../support/notes.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

@ObjectType('Note')
class NoteType {
  @Field(() => String)
  tenant!: string;
}

@Resolver(() => NoteType)
class NotesResolver {
  constructor(
    @InjectTenantModel(Note.name) readonly notes: TenantModel<Note>,
    @Inject(TenantContext) readonly context: TenantContext,
  ) {}

  @Query(() => [NoteType])
  async list() {
    return this.notes.find().lean();
  }

  @Mutation(() => NoteType)
  async add(@Args('text', { type: () => String }) text: string) {
    return this.notes.create({ tenant: this.context.require(), text });
  }

  @ResolveField(() => String)
  async current() {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return this.context.current();
  }
}

describe('the tenant of a GraphQL operation', () => {
  let server: TestServer;
  let app: INestApplication<App>;

  const start = (uri: string, options: Partial<MercuriusDriverConfig> = {}) =>
    startHttpApp(
      {
        imports: [
          ...notesModules(uri, { resolve: fromHeader('x-tenant-id') }),
          GraphQLModule.forRoot<MercuriusDriverConfig>({ driver: MercuriusDriver, autoSchemaFile: true, ...options }),
        ],
        providers: [NotesResolver],
      },
      'Fastify',
    );

  beforeAll(async () => {
    server = await startTestServer();
    app = await start(server.uri);
  });
  afterAll(async () => {
    await app?.close();
    await server?.stop();
  });
  const send = async (query: string, tenant?: string, to = app) => {
    const call = request(to.getHttpServer()).post('/graphql');
    return (await (tenant ? call.set('x-tenant-id', tenant) : call).send({ query })).body;
  };

  it('is seen by queries, mutations and field resolvers', async () => {
    for (const tenant of ['acme', 'globex']) {
      const { data } = await send('mutation { add(text: "x") { tenant current } }', tenant);
      expect(data.add).toEqual({ tenant, current: tenant });
    }
    const { data } = await send('{ list { tenant current } again: list { tenant } }', 'acme');
    expect(data).toEqual({ list: [{ tenant: 'acme', current: 'acme' }], again: [{ tenant: 'acme' }] });
  });

  it('is an error of the operation when there is none', async () => {
    const { data, errors } = await send('{ list { tenant } }');
    expect(data ?? null).toBeNull();
    expect(errors[0].message).toContain('No tenant');
  });

  it('is seen where the context has made a request of its own, without headers', async () => {
    const other = await start(server.uri, { context: () => ({ req: { user: { name: 'ada' } } }) });
    try {
      const { data } = await send('mutation { add(text: "x") { tenant current } }', 'initech', other);
      expect(data.add).toEqual({ tenant: 'initech', current: 'initech' });
    } finally {
      await other.close();
    }
  });
});
