import type { Type } from '@nestjs/common';
import mongoose from 'mongoose';
import {
  Migration,
  PolyMongoWrapper,
  type MigrationFunction,
  type MigrationInstance,
  type MigrationsOptions,
  type MigrationTraits,
  type TenantOptions,
  type TenantTaskError,
} from 'nestjs-polymongo';
import { uniqueName } from '../../support/database-names.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

/** A class that is a migration. */
export function migration(
  name: string,
  up: MigrationFunction,
  { down, ...traits }: MigrationTraits & { down?: MigrationFunction } = {},
): Type<MigrationInstance> {
  class Made {
    up = up;
    down = down;
  }
  Migration(name, traits)(Made);
  return Made as Type<MigrationInstance>;
}

/** One that writes down that it ran. */
export const noting = (name: string, traits: MigrationTraits = {}): Type<MigrationInstance> =>
  migration(
    name,
    async ({ db, tenant }) => {
      await db.collection('notes').insertOne({ tenant, text: name });
    },
    {
      ...traits,
      down: async ({ db }) => {
        await db.collection('notes').deleteOne({ text: name });
      },
    },
  );

/** Why a run of one tenant failed; undefined where it did not. */
export const causeOf = (run: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(run).then(
    () => undefined,
    (error: TenantTaskError) => error.cause,
  );

const memberSchema = new mongoose.Schema({ email: { type: String, unique: true } });

/** Processes that migrate the tenants of one server, each a wrapper of its own; all in databases that no other test uses. */
export class MigratingProcesses {
  readonly #prefix = uniqueName('m');
  readonly #processes: PolyMongoWrapper[] = [];

  private constructor(
    readonly server: TestServer,
    /** Of none of the processes. */
    readonly client: mongoose.mongo.MongoClient,
  ) {}

  static async start(): Promise<MigratingProcesses> {
    const server = await startTestServer();
    return new MigratingProcesses(server, await new mongoose.mongo.MongoClient(server.uri).connect());
  }

  async add(classes: MigrationsOptions['classes'], options: MigrationsOptions = {}, tenant: TenantOptions = {}) {
    const polymongo = new PolyMongoWrapper({
      mongoURI: this.server.uri,
      defaultDB: `${this.#prefix}_default`,
      shutdownTimeoutMS: 1000,
      tenant: { database: (id) => `${this.#prefix}_${id}`, ...tenant },
    });
    this.#processes.push(polymongo);
    polymongo.wrapModel(polymongo.models.define({ name: 'Member', schema: memberSchema }));
    const migrations = await polymongo.useMigrations({ ...(classes && { classes }), ...options });
    return { polymongo, migrations, tenants: polymongo.tenants };
  }

  /** The database of a tenant, past everything that migrates. */
  db(tenantId: string): mongoose.mongo.Db {
    return this.client.db(`${this.#prefix}_${tenantId}`);
  }

  /** What the migrations noted, as {@link noting} does. */
  async notes(tenantId: string): Promise<string[]> {
    const notes = await this.db(tenantId).collection('notes').find().toArray();
    return notes.map(({ text }) => text as string);
  }

  /** As if another process had taken the tenant over. */
  async takeOver(tenantId: string): Promise<void> {
    await this.db(tenantId)
      .collection('polymongo_migrations')
      .updateOne({ _id: 'state' as never }, { $inc: { epoch: 1 }, $set: { owner: 'another' } });
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((polymongo) => polymongo.actions.forceCloseAll()));
    const { databases } = await this.client.db().admin().listDatabases({ nameOnly: true });
    for (const { name } of databases) if (name.startsWith(this.#prefix)) await this.client.db(name).dropDatabase();
    await this.client.close();
    await this.server.stop();
  }
}
