import { compileFilter } from '../filter.js';
import { docSpec, type StageDefinition } from './stage.js';

export const matchStage: StageDefinition = {
  compile(spec, { env }) {
    const filter = compileFilter(
      docSpec(spec, 15959, () => 'the match filter must be an expression in an object'),
      env,
    );
    return function* (docs) {
      for (const doc of docs) if (filter(doc)) yield doc;
    };
  },
};
