import { CommandError } from '../../errors.js';
import { encodeDoc } from '../../bson/encode.js';
import type { Doc, Value } from '../../bson/value.js';
import { isDoc } from '../../bson/value.js';
import type { QueryEnv } from '../../query/env.js';
import { compilePipelineUpdate } from '../../query/pipeline.js';
import type { UpdateResult } from '../../query/update.js';
import {
  assertWithoutExpr,
  compileUpdate,
  documentOfFilter,
  replaceDocument,
  withIdFirst,
} from '../../query/update.js';
import type { Collection } from '../../storage/collection.js';
import type { WriteUnit } from '../../storage/write-unit.js';
import { MAX_BSON_SIZE } from '../handshake/limits.js';
import type { Match } from '../../storage/plan/stage.js';
import { positionFinder } from './position-finder.js';
import { validatorOf } from './validator.js';

/** An update of any form (operators, a replacement, a pipeline), ready to be made to documents. */
export interface DocumentUpdate {
  readonly isReplacement: boolean;
  apply(before: Doc, isInsert?: boolean): UpdateResult;
}

export interface UpdateSpec {
  readonly filter: Doc;
  readonly update: Value | undefined;
  readonly arrayFilters?: readonly Doc[] | undefined;
  readonly isMulti?: boolean;
  readonly isUpsert?: boolean;
}

/** @throws CommandError for an update that is not valid, or an upsert whose filter has an expression */
export function compileDocumentUpdate(spec: UpdateSpec, env: QueryEnv): DocumentUpdate {
  const compiled = compileForm(spec, env);
  if (spec.isUpsert) assertWithoutExpr(spec.filter);
  return compiled;
}

function compileForm(spec: UpdateSpec, env: QueryEnv): DocumentUpdate {
  const { filter, update, arrayFilters, isMulti = false } = spec;
  if (Array.isArray(update)) {
    if (arrayFilters) {
      throw new CommandError('FailedToParse', 'arrayFilters may not be specified for pipeline-style updates');
    }
    return pipelineUpdate(update, env);
  }
  if (!isDoc(update)) {
    throw new CommandError('FailedToParse', 'Update argument must be either an object or an array');
  }
  const compiled = compileUpdate(update, env, { arrayFilters, isMulti });
  const positionOf = compiled.isPositional ? positionFinder(filter, env) : () => -1;
  return {
    isReplacement: compiled.kind === 'replacement',
    apply: (before, isInsert = false) =>
      compiled.apply(before, { matchedIndex: isInsert ? -1 : positionOf(before), isInsert }),
  };
}

function pipelineUpdate(stages: readonly Value[], env: QueryEnv): DocumentUpdate {
  const run = compilePipelineUpdate(stages, env);
  return { isReplacement: false, apply: (before) => replaceDocument(before, run(before)) };
}

/** The document an upsert inserts. */
export function upsertedDocument(filter: Doc, update: DocumentUpdate): Doc {
  const base = documentOfFilter(filter, update.isReplacement);
  return withIdFirst(update.apply(base, true).doc);
}

export interface UpdateTarget {
  readonly unit: WriteUnit;
  readonly collection: Collection;
  readonly isValidationBypassed: boolean;
}

/** Updates one stored document. @throws CommandError */
export function updateRecord(target: UpdateTarget, record: Match, update: DocumentUpdate): UpdateResult {
  const applied = update.apply(record.doc);
  if (!applied.isModified) return applied;
  const bytes = encodeDoc(applied.doc);
  checkSize(bytes);
  if (!target.isValidationBypassed) validatorOf(target.collection)?.check(bytes, record.bytes);
  target.unit.update(target.collection, record.id, bytes, update.isReplacement ? undefined : applied.description);
  return applied;
}

/** Inserts the document of an upsert. @throws CommandError */
export function insertUpserted({ unit, collection, isValidationBypassed }: UpdateTarget, doc: Doc): Uint8Array {
  const bytes = encodeDoc(doc);
  if (bytes.length > MAX_BSON_SIZE) {
    throw new CommandError(17420, `Document to upsert is larger than ${MAX_BSON_SIZE}`);
  }
  if (!isValidationBypassed) validatorOf(collection)?.check(bytes);
  unit.insert(collection, bytes);
  return bytes;
}

function checkSize({ length }: Uint8Array): void {
  if (length > MAX_BSON_SIZE) {
    throw new CommandError(17419, `Resulting document after update is larger than ${MAX_BSON_SIZE}`);
  }
}
