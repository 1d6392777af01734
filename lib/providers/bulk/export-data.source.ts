import mongoose from 'mongoose';
import { BulkFormatError } from './bulk.errors.js';
import type { ExportData } from './bulk.types.js';

/** The bytes of what `import()` takes: an export file as text or bytes, or the object that `export()` gave. */
export function* bytesOfExportData(data: ExportData | string | Uint8Array): Generator<Uint8Array, void> {
  if (typeof data === 'string') yield Buffer.from(data);
  else if (data instanceof Uint8Array) yield data;
  else yield* bytesOfObject(data);
}

function* bytesOfObject(data: ExportData): Generator<Uint8Array, void> {
  if (!isObject(data) || !isObject(data.collections)) {
    throw new BulkFormatError('it is not { database, exportDate, collections }, what export() gives', {});
  }
  yield Buffer.from('{"collections":{');
  let comma = '';
  for (const [collection, content] of Object.entries(data.collections)) {
    if (!isObject(content)) throw new BulkFormatError('it must be { documents, indexes }', { collection });
    const { documents = [], ...properties } = content;
    if (!Array.isArray(documents)) throw new BulkFormatError('"documents" must be an array', { collection });
    const head = Object.entries(properties).map(([key, value]) => `${JSON.stringify(key)}:${canonical(value)},`);
    yield Buffer.from(`${comma}\n${JSON.stringify(collection)}:{${head.join('')}"documents":[`);
    for (const [i, document] of documents.entries()) {
      if (!isObject(document)) throw new BulkFormatError('it is no object', { collection, documentNumber: i + 1 });
      yield Buffer.from(`${i > 0 ? ',' : ''}\n${canonical(document)}`);
    }
    yield Buffer.from(']}');
    comma = ',';
  }
  yield Buffer.from('}}');
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Documents that `export()` made are plain JSON; ones made by hand may have Dates and ObjectIds in them. */
const canonical = (value: unknown): string =>
  isPlain(value) ? JSON.stringify(value ?? null) : mongoose.mongo.BSON.EJSON.stringify(value, { relaxed: false });

function isPlain(value: unknown): boolean {
  if (typeof value === 'bigint') return false;
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isPlain);
}
