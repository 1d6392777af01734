import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Inject, Injectable, type INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  InjectTenantModel,
  TenantContext,
  TenantUnknownError,
  WithJobTenant,
  WithTenant,
  type TenantModel,
} from 'nestjs-polymongo';
import { Note, notesModules, NoteSchema } from '../../support/notes.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

/** Whose note is added, read or counted: the tenant that hooks of the schema ran as. */
const hooked: string[] = [];
let stateOf: () => string = () => 'none';

@Injectable()
class Notes {
  constructor(
    @InjectTenantModel(Note.name) readonly notes: TenantModel<Note>,
    @Inject(TenantContext) readonly context: TenantContext,
  ) {}

  @WithTenant((tenant: string) => tenant)
  query(_: string) {
    return this.notes.find().lean();
  }
  @WithTenant((tenant: string) => tenant)
  document(_: string) {
    return this.notes.findOne();
  }
  @WithTenant((tenant: string) => tenant)
  aggregate(_: string) {
    return this.notes.aggregate<Note>([{ $project: { _id: 0, tenant: 1 } }]);
  }
  @WithJobTenant('tenant')
  job(_: { data: { tenant: string } }) {
    return this.notes.find().lean();
  }
  /** Runs only when somebody waits for it, as a query does, and is no query. */
  @WithTenant((tenant: string) => tenant)
  thenable(_: string) {
    return {
      then: (resolve: (tenant: string) => void, reject: (error: unknown) => void) =>
        void new Promise(setImmediate).then(() => this.context.require()).then(resolve, reject),
    };
  }
  @WithTenant('acme')
  async *generator() {
    await new Promise(setImmediate);
    yield* await this.notes.distinct('tenant');
  }
}

describe('a method with @WithTenant that gives what runs only when it is awaited', () => {
  let server: TestServer;
  let app: INestApplicationContext;
  let notes: Notes;
  let context: TenantContext;

  beforeAll(async () => {
    server = await startTestServer();
    NoteSchema.pre('find', () => void hooked.push(stateOf()));
    const module = await Test.createTestingModule({
      imports: notesModules(server.uri, { exists: (tenant) => tenant !== 'hooli' }),
      providers: [Notes],
    }).compile();
    app = await module.init();
    notes = app.get(Notes);
    context = app.get(TenantContext);
    stateOf = () => context.state;
    for (const tenant of ['acme', 'globex']) await context.run(tenant, () => notes.notes.create({ tenant }));
  });
  afterAll(async () => {
    await app?.close();
    await server?.stop();
  });

  /** Called in none, and inside of another tenant. */
  const calls = <T>(call: () => T): T[] => [call(), context.run('globex', call)];

  it('gives the tenant’s documents, hooks included, wherever it is called and awaited', async () => {
    hooked.length = 0;
    for (const found of calls(() => notes.query('acme'))) expect(await found).toMatchObject([{ tenant: 'acme' }]);
    for (const found of calls(() => notes.aggregate('acme'))) expect(await found).toEqual([{ tenant: 'acme' }]);
    for (const found of calls(() => notes.document('acme'))) {
      const document = await context.run('globex', async () => found);
      expect(document).toMatchObject({ tenant: 'acme' });
      await context.run('globex', () => document!.updateOne({ text: 'of acme' }));
    }
    expect(await context.run('acme', () => notes.notes.countDocuments({ text: 'of acme' }))).toBe(1);
    for (const found of calls(() => notes.job({ data: { tenant: 'acme' } })))
      expect(await found).toMatchObject([{ tenant: 'acme' }]);
    expect(hooked).toEqual(Array(4).fill('acme'));
  });

  it('runs another thenable as the tenant, once', async () => {
    for (const given of calls(() => notes.thenable('acme'))) expect(await given).toBe('acme');
  });

  it('is never the current tenant’s where the method’s own is refused', async () => {
    hooked.length = 0;
    const refused = context.run('globex', () => notes.query('hooli'));
    await expect(Promise.resolve(refused)).rejects.toThrow(TenantUnknownError);
    expect(hooked).toEqual([]);
  });

  it('gives a generator that reads as the tenant', async () => {
    const steps = (await notes.generator()) as unknown as AsyncIterable<string>;
    const read = async () => {
      const seen: string[] = [];
      for await (const tenant of steps) seen.push(tenant);
      return seen;
    };
    expect(await context.run('globex', read)).toEqual(['acme']);
  });
});
