import type mongoose from 'mongoose';
import { PolyMongoWrapper, type PolyModelOf, type PolyMongoOptions, type TenantOptions } from 'nestjs-polymongo';
import { uniqueName } from './database-names.js';
import { NoteSchema } from './notes.js';
import { startTestServer, type TestServer } from './test-server.js';

type NoteModel = mongoose.Model<{ tenant: string; text?: string }>;

/** Wrappers on one server and one registry, each as another process would have it. */
export class TenantProcesses {
  readonly prefix = uniqueName('p');
  readonly all: PolyMongoWrapper[] = [];

  private constructor(readonly server: TestServer) {}

  static async start(): Promise<TenantProcesses> {
    return new TenantProcesses(await startTestServer());
  }

  add(tenant: TenantOptions = {}, options: Partial<PolyMongoOptions> = {}): PolyMongoWrapper {
    const polymongo = new PolyMongoWrapper({
      mongoURI: this.server.uri,
      defaultDB: `${this.prefix}_default`,
      tenant: { database: (id) => `${this.prefix}_t_${id}`, ...tenant },
      ...options,
    });
    polymongo.wrapModel(polymongo.models.define({ name: 'Note', schema: NoteSchema }));
    this.all.push(polymongo);
    return polymongo;
  }

  database(tenantId: string): string {
    return `${this.prefix}_t_${tenantId}`;
  }

  notesOf(polymongo: PolyMongoWrapper): PolyModelOf<NoteModel> {
    return polymongo.wrapModel(polymongo.models.blueprint('Note')) as unknown as PolyModelOf<NoteModel>;
  }

  /** Writes a note as a tenant. */
  write(polymongo: PolyMongoWrapper, tenant: string): Promise<unknown> {
    return polymongo.tenants.run(tenant, () => this.notesOf(polymongo).tenant().create({ tenant }));
  }

  /** Counts a tenant's notes, as it. */
  count(polymongo: PolyMongoWrapper, tenant: string): Promise<number> {
    return polymongo.tenants.run(tenant, () => this.notesOf(polymongo).tenant().countDocuments().exec());
  }

  /** A collection of the registry, past every rule. */
  registry<D extends { _id: string }>(name: string): mongoose.mongo.Collection<D> {
    return this.all[0]!.pools.connectionOf(`${this.prefix}_default`).db!.collection<D>(name);
  }

  /** The databases on the server that are of this test. */
  async databases(): Promise<string[]> {
    const { databases } = await this.all[0]!.pools.connectionOf(`${this.prefix}_default`).listDatabases();
    return databases.map(({ name }) => name).filter((name) => name.startsWith(this.prefix));
  }

  async stop(): Promise<void> {
    const names = await this.databases().catch(() => []);
    for (const name of names) await this.all[0]!.pools.primary.client.db(name).dropDatabase();
    await Promise.all(this.all.map((polymongo) => polymongo.actions.forceCloseAll()));
    await this.server.stop();
  }
}
