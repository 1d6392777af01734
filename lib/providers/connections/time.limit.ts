import type { Database } from '../databases/database.js';
import { OPTIONS_AT, withOptions } from '../sessions/collection.session.js';

/** Reads and writes of documents. What makes or drops collections and indexes takes the time that it takes. */
const LIMITED: ReadonlySet<string> = new Set([
  ...['find', 'findOne', 'aggregate', 'count', 'countDocuments', 'estimatedDocumentCount', 'distinct'],
  ...['findOneAndDelete', 'findOneAndReplace', 'findOneAndUpdate'],
  ...['insertOne', 'insertMany', 'updateOne', 'updateMany', 'replaceOne', 'deleteOne', 'deleteMany', 'bulkWrite'],
]);

/** The arguments of a collection call, with the database's `maxTimeMS` where they name no time of their own. */
export function limitTime({ equipment }: Database, method: string, args: readonly unknown[]): readonly unknown[] {
  const { maxTimeMS } = equipment;
  if (maxTimeMS === undefined || !LIMITED.has(method)) return args;
  const at = OPTIONS_AT[method]!;
  const given = args[at] as { maxTimeMS?: number; timeoutMS?: number } | undefined;
  if ((given?.maxTimeMS ?? given?.timeoutMS) !== undefined) return args;
  return withOptions(args, at, { maxTimeMS });
}
