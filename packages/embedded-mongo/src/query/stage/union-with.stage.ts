import { isDoc, typeName, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { assertKnownFields } from '../../bson/known-fields.js';
import { pipelineStages } from '../pipeline/stages.js';
import type { StageDefinition } from './stage.js';

interface UnionSpec {
  readonly coll: string | undefined;
  readonly stages: readonly Value[];
}

function parse(spec: Value): UnionSpec {
  if (typeof spec === 'string') return { coll: spec, stages: [] };
  if (!isDoc(spec)) {
    throw new CommandError(
      'FailedToParse',
      `the $unionWith stage specification must be an object or string, but found ${typeName(spec)}`,
    );
  }
  assertKnownFields(spec, '$unionWith', ['coll', 'pipeline']);
  const coll = spec.get('coll');
  if (coll !== undefined && typeof coll !== 'string') {
    throw new CommandError(
      'TypeMismatch',
      `BSON field '$unionWith.coll' is the wrong type '${typeName(coll)}', expected type 'string'`,
    );
  }
  const stages = spec.has('pipeline') ? pipelineStages(spec.get('pipeline')) : [];
  const [first] = stages;
  if (coll === undefined && !(first && isDoc(first) && first.has('$documents'))) {
    throw new CommandError(
      'FailedToParse',
      '$unionWith stage without explicit collection must have a pipeline with $documents as first stage',
    );
  }
  return { coll, stages };
}

export const unionWithStage: StageDefinition = {
  compile(spec, context) {
    const { coll, stages } = parse(spec);
    const { db } = context.namespace;
    const other = context.compile(stages, '$unionWith', coll === undefined ? { db } : { db, coll });
    return function* (docs) {
      yield* docs;
      yield* other.run();
    };
  },
};
