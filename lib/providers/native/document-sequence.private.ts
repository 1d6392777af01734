import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import mongoose from 'mongoose';

/** The driver's class for documents that go into a command as raw BSON (OP_MSG, section kind 1). */
interface DocumentSequence {
  push(document: object, bson: Uint8Array): number;
}
type DocumentSequenceClass = new (field: string) => DocumentSequence;

/**
 * The class of the very driver that mongoose uses, which recognises it by `instanceof`. The driver does not export it,
 * but has loaded it, so it is taken from the modules that are loaded. undefined where that is not possible (bundled
 * applications); documents are then decoded and encoded again.
 */
export const findDocumentSequence = (): DocumentSequenceClass | undefined =>
  (found ??= { Class: lookForSequence() }).Class;
let found: { readonly Class: DocumentSequenceClass | undefined } | undefined;

function lookForSequence(): DocumentSequenceClass | undefined {
  const { cache } = createRequire(join(process.cwd(), 'polymongo.js'));
  for (const path of Object.keys(cache)) {
    if (!/mongodb[\\/]lib[\\/]index\.js$/.test(path) || cache[path]?.exports !== mongoose.mongo) continue;
    const { exports } = cache[join(dirname(path), 'cmap', 'commands.js')] ?? {};
    const Class = (exports as { DocumentSequence?: unknown } | undefined)?.DocumentSequence;
    if (typeof Class === 'function' && typeof (Class.prototype as DocumentSequence).push === 'function') {
      return Class as DocumentSequenceClass;
    }
  }
  return undefined;
}
