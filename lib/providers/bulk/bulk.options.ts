import { type Check, checkOptions, checks, oneOf, type Checks } from '../../polymongo.checks.js';
import { BulkArgumentError } from './bulk.errors.js';
import type { BulkOptions, BulkReadOptions, CopyOptions, ExportStreamOptions, ImportOptions } from './bulk.types.js';
import type { ExportCollectionOptions, ImportCollectionOptions } from './collection-file.types.js';

const ANY = {
  transform: checks.function,
  signal: checks.abortSignal,
  onProgress: checks.function,
  guard: checks.function,
};

const TASK: Checks<BulkOptions> = { ...ANY, include: checks.array, exclude: checks.array, rename: checks.object };

const READ: Checks<BulkReadOptions> = { ...TASK, query: checks.object, snapshot: checks.boolean };

const COPY: Checks<CopyOptions> = {
  ...READ,
  onError: oneOf('stop', 'skip'),
  dryRun: checks.boolean,
  targetPools: { ...checks.object, allowed: 'the pools of a wrapper' },
  concurrency: checks.positiveInteger,
  bypassDocumentValidation: checks.boolean,
};

const EXPORT: Checks<ExportStreamOptions> = { ...READ, format: oneOf('json', 'archive'), gzip: checks.boolean };

const ANY_IMPORT = {
  onError: oneOf('stop', 'skip'),
  rejects: {
    allowed: 'a writable stream',
    accepts: (v: unknown) => typeof (v as ImportOptions['rejects'])?.write === 'function',
  },
  dryRun: checks.boolean,
  resumeFrom: {
    allowed: "'start' or a checkpoint",
    accepts: (v: unknown) => v === 'start' || checks.object.accepts((v as { documents?: unknown } | null)?.documents),
  },
  drop: checks.boolean,
  bypassDocumentValidation: checks.boolean,
  totalBytes: checks.count,
};

const IMPORT: Checks<ImportOptions> = {
  ...TASK,
  ...ANY_IMPORT,
  format: oneOf('json', 'archive'),
  sourceDatabase: checks.string,
};

const FIELDS: Check = {
  allowed: 'an array of names of fields, at least one',
  accepts: (v) => Array.isArray(v) && v.length > 0 && v.every(isFieldPath),
};

const EXPORT_COLLECTION: Checks<ExportCollectionOptions> = {
  ...ANY,
  query: checks.object,
  snapshot: checks.boolean,
  format: oneOf('jsonl', 'json', 'csv'),
  jsonFormat: oneOf('canonical', 'relaxed'),
  fields: FIELDS,
  gzip: checks.boolean,
};

const IMPORT_COLLECTION: Checks<ImportCollectionOptions> = {
  ...ANY,
  ...ANY_IMPORT,
  format: oneOf('jsonl', 'json', 'csv'),
  pick: { allowed: 'a path such as data.items', accepts: isFieldPath },
  upsertFields: FIELDS,
  fileName: checks.string,
};

/** Names with dots between them, none empty. */
function isFieldPath(value: unknown): boolean {
  return typeof value === 'string' && /^[^.\0]+(\.[^.\0]+)*$/.test(value);
}

/** @throws PolyMongoOptionsError */
export const checkCopyOptions = (options: CopyOptions): void => checkOptions('copyDatabase.', options, COPY);

/** @throws PolyMongoOptionsError */
export const checkExportOptions = (options: ExportStreamOptions): void => checkOptions('export.', options, EXPORT);

/** @throws PolyMongoOptionsError; BulkArgumentError where they contradict each other */
export function checkImportOptions(options: ImportOptions): void {
  checkOptions('import.', options, IMPORT);
  checkDrop(options);
}

/** @throws PolyMongoOptionsError; BulkArgumentError where they contradict each other */
export function checkExportCollectionOptions(options: ExportCollectionOptions): void {
  checkOptions('exportCollection.', options, EXPORT_COLLECTION);
  const { format, fields, jsonFormat } = options;
  if (format === 'csv' && !fields)
    throw new BulkArgumentError('An export of CSV needs fields: they are its columns, in their order.');
  if (format !== 'csv' && fields)
    throw new BulkArgumentError("fields are the columns of CSV: use them with format: 'csv', or leave them out.");
  if (format === 'csv' && jsonFormat) throw new BulkArgumentError('jsonFormat is of JSON: leave it out for CSV.');
}

/** @throws PolyMongoOptionsError; BulkArgumentError where they contradict each other */
export function checkImportCollectionOptions(options: ImportCollectionOptions): void {
  checkOptions('importCollection.', options, IMPORT_COLLECTION);
  checkDrop(options);
  if (options.pick !== undefined && (options.format ?? 'json') !== 'json')
    throw new BulkArgumentError(`pick is of JSON, not of ${options.format}: leave one of the two out.`);
}

function checkDrop({ drop, resumeFrom }: Pick<ImportOptions, 'drop' | 'resumeFrom'>): void {
  if (drop && resumeFrom !== undefined)
    throw new BulkArgumentError('drop would remove what resumeFrom goes on from: leave one of the two out.');
}
