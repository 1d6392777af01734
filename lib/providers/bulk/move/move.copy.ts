import type { Database } from '../../databases/database.js';
import type { BackupCollection } from '../../tenant/tenant.backups.js';
import { BackupContents, differencesOf } from '../backup/backup.contents.js';
import { writeErrorOf } from '../bulk.errors.js';
import type { CollectionDefinition } from '../codecs/collection.definition.js';
import { RawBatch } from '../raw/raw-batch.js';
import { insertRaw } from '../raw/raw-insert.js';
import { RawSource } from '../raw/raw-source.js';
import { RawTarget } from '../raw/raw-target.js';

/** What a copy is made with. */
export interface CopyHost {
  readonly source: Database;
  readonly target: Database;
  readonly signal: AbortSignal | undefined;
  /** Asked before each batch. @throws TenantTakenOverError */
  guard(): void;
  /** So many documents more were written. */
  written(documents: number): void;
}

/** Two names of each collection: as it is called there, and as its tenant calls it. */
export type Names = ReadonlyMap<string, string>;

/** Copies collections under other names, and compares what two ends have: documents in any order, indexes, options. */
export class MoveCopy {
  #definitions: CollectionDefinition[] = [];
  #was: readonly BackupCollection[] = [];

  constructor(private readonly host: CopyHost) {}

  /** Without their indexes, so that nothing expires there before it has been compared. @param stagedAs the name at the target of each */
  async stage(names: Names, stagedAs: (name: string) => string): Promise<void> {
    const contents = new BackupContents();
    await reading(this.host.source, names, this.host.signal, async (reader, definitions) => {
      this.#definitions = definitions;
      for (const definition of definitions) {
        const name = names.get(definition.name)!;
        contents.define({ ...definition, name });
        await this.#copy(reader, definition, stagedAs(name), (batch) => contents.add(name, batch));
      }
    });
    this.#was = contents.collections;
  }

  /** Reads what was staged, then makes its indexes. @returns what is not as it was read */
  async verify(names: Names, stagedAs: (name: string) => string): Promise<string[]> {
    const staged = new Map([...names.values()].map((name) => [stagedAs(name), name]));
    const contents = new BackupContents();
    const target = new RawTarget(this.host.target);
    const failed: string[] = [];
    await reading(this.host.target, staged, this.host.signal, async (reader, definitions) => {
      for (const { name } of definitions)
        for await (const batch of reader.batches(name)) contents.add(staged.get(name)!, batch);
    });
    for (const { name, indexes } of this.#definitions) {
      this.host.guard();
      const { refused } = await target.createIndexes(stagedAs(names.get(name)!), indexes);
      failed.push(...refused.map((index) => `${names.get(name)}: index ${index.name}: ${index.message}`));
    }
    await reading(this.host.target, staged, this.host.signal, async (_, definitions) => {
      for (const definition of definitions) contents.define({ ...definition, name: staged.get(definition.name)! });
    });
    return [...failed, ...differencesOf(this.#was, contents.collections)];
  }

  /** @returns in what two ends differ */
  async compare(source: Names, target: Names): Promise<string[]> {
    const [was, is] = await Promise.all([
      this.#contents(this.host.source, source),
      this.#contents(this.host.target, target),
    ]);
    return differencesOf(was, is);
  }

  /** Makes views of a tenant's own, again where they are there. */
  async copyViews(names: readonly string[], replace: (name: string) => Promise<void>): Promise<void> {
    const target = new RawTarget(this.host.target);
    await reading(this.host.source, new Map(names.map((name) => [name, name])), undefined, async (_, definitions) => {
      for (const { name, options } of definitions) {
        await replace(name);
        await target.create({ name, options });
      }
    });
  }

  async #copy(
    reader: RawSource,
    { name, options }: CollectionDefinition,
    staged: string,
    read: (batch: readonly Buffer[]) => void,
  ): Promise<void> {
    const { target, signal, guard } = this.host;
    guard();
    await new RawTarget(target).create({ name: staged, options });
    let first = 1;
    for await (const batch of reader.batches(name)) {
      read(batch);
      const { failure } = await insertRaw(target, staged, new RawBatch(batch), {
        isOrdered: true,
        keepExisting: true,
        timeField: undefined,
        signal,
        bypassDocumentValidation: true,
        guard,
      });
      if (failure) throw writeErrorOf(failure.error, { collection: name, documentNumber: first + failure.index });
      first += batch.length;
      this.host.written(batch.length);
    }
  }

  async #contents(database: Database, names: Names): Promise<BackupCollection[]> {
    const contents = new BackupContents();
    await reading(database, names, this.host.signal, async (reader, definitions) => {
      for (const definition of definitions) {
        const name = names.get(definition.name)!;
        contents.define({ ...definition, name });
        for await (const batch of reader.batches(definition.name)) contents.add(name, batch);
      }
    });
    return contents.collections;
  }
}

async function reading(
  database: Database,
  names: Names,
  signal: AbortSignal | undefined,
  work: (reader: RawSource, definitions: CollectionDefinition[]) => Promise<void>,
): Promise<void> {
  if (names.size === 0) return;
  const reader = new RawSource(database, { include: [...names.keys()], ...(signal && { signal }) });
  await database.run(async () => {
    await reader.open();
    try {
      await work(reader, await reader.definitions());
    } finally {
      await reader.close();
    }
  }, 'long');
}
