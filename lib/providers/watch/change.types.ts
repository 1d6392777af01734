import type { mongo } from 'mongoose';

/** A change as the server reports it, typed by the raw documents of the model. */
export type Change<T = mongo.Document> = mongo.ChangeStreamDocument<T extends mongo.Document ? T : mongo.Document>;

/** What Nest's `@Sse()` reads of an event it is given. */
const EVENT_FIELDS: PropertyDescriptorMap = {
  data: {
    configurable: true,
    get(this: object) {
      return this;
    },
  },
  id: {
    configurable: true,
    get(this: { _id?: { _data?: unknown } }) {
      return this._id?._data;
    },
  },
};

/**
 * Lets an `@Sse()` endpoint return `watch$` directly: its event's `data` is the change itself and its `id` the resume
 * token. Neither is enumerable, and a field of that name which a pipeline made stays as it is.
 */
export function asServerSentEvent<C extends object>(change: C): C {
  for (const name of ['data', 'id']) if (!(name in change)) Object.defineProperty(change, name, EVENT_FIELDS[name]!);
  return change;
}
