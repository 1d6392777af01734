import type { Model } from 'mongoose';
import type { DatabaseModel, PolyModel, PolyMongoWrapper } from 'nestjs-polymongo';
import { numbered, wrapItems, type Item } from '../../support/items.js';

/** What each kind of work is to come to. */
export const DOCUMENTS = 12;
/** A parcel is bigger than what the streams between server and reader hold, so that an export is slow with its reader. */
const PARCEL_BYTES = 40_000;

type Rest = () => Promise<void>;
type Work = (database: DatabaseOfWork, rest: Rest, seed: number) => Promise<number>;

interface DatabaseOfWork {
  readonly items: DatabaseModel<Model<Item>>;
  readonly events: DatabaseModel<Model<Item>>;
  exportParcels(): AsyncIterable<Uint8Array>;
}

/** The databases that work is done on. */
export class WorkPlace {
  readonly #items: PolyModel<Item>;
  readonly #events: PolyModel<Item>;

  constructor(readonly polymongo: PolyMongoWrapper) {
    this.#items = wrapItems(polymongo, { autoIndex: false });
    this.#events = polymongo.wrapModel(this.#items.base.model<Item>('Event', this.#items.schema));
  }

  async fill(name: string): Promise<void> {
    const items = this.#items.db(name);
    await items.insertMany(numbered(DOCUMENTS));
    await this.#events.db(name).create({ n: 0 });
    const filler = 'x'.repeat(PARCEL_BYTES);
    await items.db.collection('parcels').insertMany(numbered(DOCUMENTS).map(({ n }) => ({ parcel: n, filler })));
  }

  on(name: string): DatabaseOfWork {
    return {
      items: this.#items.db(name),
      events: this.#events.db(name),
      exportParcels: () => this.polymongo.bulkTasks.exportStream(name, { include: ['parcels'] }),
    };
  }
}

/** Each comes to all documents in some way, with rests around the idle life of its pool; gives how many it got. */
export const WORK: Readonly<Record<string, Work>> = {
  find: async ({ items }) => (await items.find()).length,
  cursor: async ({ items }, rest) => {
    let count = 0;
    for await (const _ of items.find().cursor({ batchSize: 4 })) if (++count % 4 === 0) await rest();
    return count;
  },
  aggregation: async ({ items }, rest) => {
    let count = 0;
    for await (const _ of items.aggregate([{ $match: {} }]).cursor({ batchSize: 5 }))
      if (++count % 5 === 0) await rest();
    return count;
  },
  readable: async ({ items }, rest) => {
    let count = 0;
    const cursor = items.collection.find({}, { batchSize: 3 } as never) as unknown as { stream(): AsyncIterable<Item> };
    for await (const _ of cursor.stream()) if (++count % 3 === 0) await rest();
    return count;
  },
  transaction: async ({ items }, rest) => {
    const session = await items.db.startSession();
    try {
      session.startTransaction({ readConcern: { level: 'snapshot' } });
      const first = (await items.find({ n: { $lt: 6 } }).session(session)).length;
      await rest();
      const second = (await items.find({ n: { $gte: 6 } }).session(session)).length;
      await session.commitTransaction();
      return first + second;
    } finally {
      await session.endSession();
    }
  },
  'raw change stream': async ({ items }, rest) => {
    const stream = items.collection.watch([], { maxAwaitTimeMS: 4 }) as unknown as {
      tryNext(): Promise<unknown>;
      close(): Promise<void>;
      closed: boolean;
    };
    try {
      await stream.tryNext();
      await rest();
      await stream.tryNext();
      return stream.closed ? 0 : DOCUMENTS;
    } finally {
      await stream.close();
    }
  },
  watch$: async ({ events }, rest, seed) => {
    const pipeline = [{ $match: { 'fullDocument.n': seed } }];
    let count = 0;
    await new Promise<void>((resolve, reject) => {
      const write = async () => {
        for (let i = 0; i < 3; i++) {
          await rest();
          await events.create({ n: seed });
        }
      };
      const onOpen = () => void write().catch(reject);
      const changes = events.watch$({ pipeline, operationTypes: ['insert'], maxAwaitTimeMS: 4, onOpen });
      const next = () => {
        if (++count < 3) return;
        subscription.unsubscribe();
        resolve();
      };
      const subscription = changes.subscribe({ next, error: reject });
    });
    return (count * DOCUMENTS) / 3;
  },
  exportStream: async ({ exportParcels }, rest) => {
    let text = '';
    for await (const chunk of exportParcels()) {
      text += Buffer.from(chunk).toString();
      await rest();
    }
    return text.match(/"parcel"/g)?.length ?? 0;
  },
};
