import { checkOptions, checks, oneOf, type Checks } from '../../polymongo.checks.js';
import type { BulkOptions, BulkReadOptions, CopyOptions, ExportStreamOptions, ImportOptions } from './bulk.types.js';

const TASK: Checks<BulkOptions> = {
  include: checks.array,
  exclude: checks.array,
  rename: checks.object,
  transform: checks.function,
  signal: checks.abortSignal,
  onProgress: checks.function,
  guard: checks.function,
};

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

const IMPORT: Checks<ImportOptions> = {
  ...TASK,
  format: oneOf('json', 'archive'),
  onError: oneOf('stop', 'skip'),
  rejects: {
    allowed: 'a writable stream',
    accepts: (v) => typeof (v as ImportOptions['rejects'])?.write === 'function',
  },
  dryRun: checks.boolean,
  resumeFrom: {
    allowed: "'start' or a checkpoint",
    accepts: (v) => v === 'start' || checks.object.accepts((v as { documents?: unknown } | null)?.documents),
  },
  sourceDatabase: checks.string,
  bypassDocumentValidation: checks.boolean,
  totalBytes: checks.count,
};

/** @throws PolyMongoOptionsError */
export const checkCopyOptions = (options: CopyOptions): void => checkOptions('copyDatabase.', options, COPY);

/** @throws PolyMongoOptionsError */
export const checkExportOptions = (options: ExportStreamOptions): void => checkOptions('export.', options, EXPORT);

/** @throws PolyMongoOptionsError */
export const checkImportOptions = (options: ImportOptions): void => checkOptions('import.', options, IMPORT);
