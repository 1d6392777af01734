import { isDoc, typeName } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { compileDocExpression } from '../expression.js';
import type { StageDefinition } from './stage.js';

export const documentsStage: StageDefinition = {
  position: 'first',
  isSource: true,
  isCollectionless: true,
  forbiddenIn: ['$facet', 'view'],
  compile(spec, { env, namespace }) {
    if (namespace.coll !== undefined) {
      throw new CommandError('InvalidNamespace', "'$documents' can only be run with {aggregate: 1}");
    }
    const expression = compileDocExpression(spec, env);
    return function* () {
      const docs = expression(new Map());
      if (!Array.isArray(docs)) {
        throw new CommandError(5858203, `an array is expected, found ${typeName(docs)}`);
      }
      for (const doc of docs) {
        if (!isDoc(doc))
          throw new CommandError(40228, `'newRoot' expression  must evaluate to an object, found ${typeName(doc)}`);
        yield doc;
      }
    };
  },
};
