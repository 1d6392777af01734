import { unpaused } from '../../bson/pause.js';
import { isDoc, typeName, type Doc } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { display } from '../expression/display.js';
import { assertFieldName } from '../expression/field-path.js';
import { pipelineStages } from '../pipeline/stages.js';
import { holding, type StageDefinition } from './stage.js';

export const facetStage: StageDefinition = {
  forbiddenIn: ['$facet'],
  compile(spec, context) {
    if (!isDoc(spec) || spec.size === 0) {
      throw new CommandError(
        40169,
        `the $facet specification must be a non-empty object, but found: $facet: ${display(spec)}`,
      );
    }
    const facets = [...spec].map(([field, stages]) => {
      assertFieldName(field);
      if (!Array.isArray(stages)) {
        throw new CommandError(40170, `arguments to $facet must be arrays, ${field} is type ${typeName(stages)}`);
      }
      return [field, context.compile(pipelineStages(stages), '$facet')] as const;
    });
    return holding(function* (docs) {
      const result: Doc = new Map();
      for (const [field, pipeline] of facets) result.set(field, [...unpaused(pipeline.processAll(docs))]);
      yield result;
    });
  },
};
