import { sortDocs, sortOrder } from '../sort.js';
import { holding, docSpec, type StageDefinition } from './stage.js';

export const sortStage: StageDefinition = {
  compile(spec, { env }) {
    const order = sortOrder(
      docSpec(spec, 15973, () => 'the $sort key specification must be an object'),
      env,
    );
    return holding(function* (docs) {
      const isKeyWanted = env.metadata?.wanted.has('sortKey');
      for (const doc of sortDocs(docs, order)) {
        if (isKeyWanted) env.metadata!.set(doc, 'sortKey', order.keyOf(doc));
        yield doc;
      }
    });
  },
};
