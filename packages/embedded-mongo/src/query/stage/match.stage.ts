import { PAUSE } from '../../bson/pause.js';
import { CommandError } from '../../errors.js';
import { compileFilter } from '../filter.js';
import { nearIn } from '../geo/near.js';
import { hasText } from '../metadata.js';
import { noTextSearch } from '../text/text-query.js';
import { docSpec, type StageDefinition } from './stage.js';

export const matchStage: StageDefinition = {
  compile(spec, { env }) {
    const conditions = docSpec(spec, 15959, () => 'the match filter must be an expression in an object');
    if (nearIn(conditions)) {
      throw new CommandError(
        5626500,
        '$geoNear, $near, and $nearSphere are not allowed in this context, as these operators require sorting geospatial data. If you do not need sort, consider using $geoWithin instead. Check out https://dochub.mongodb.org/core/near-sort-operation and https://dochub.mongodb.org/core/nearSphere-sort-operation for more details.',
      );
    }
    // A search is the planner's, which has the index: it stands first, and its stage is not run.
    const filter = compileFilter(conditions, hasText(conditions) ? { ...env, textSearch: noTextSearch } : env);
    return function* (docs) {
      for (const doc of docs) if (doc === PAUSE || filter(doc)) yield doc;
    };
  },
};
