import { PAUSE } from '../../bson/pause.js';
import { docOf, int32, isDoc } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { compileExpression } from '../expression.js';
import { sortDocs, sortOrder } from '../sort.js';
import { compileAccumulators, grouping } from './group.stage.js';
import { holding, type StageDefinition } from './stage.js';

const COUNT = docOf(['$sum', int32(1)]);

export const countStage: StageDefinition = {
  compile(field) {
    if (typeof field !== 'string') throw new CommandError(40156, 'the count field must be a non-empty string');
    if (field === '') throw new CommandError(40157, 'the count field must be a non-empty string');
    if (field.startsWith('$')) throw new CommandError(40158, 'the count field cannot be a $-prefixed path');
    if (field.includes('\0')) throw new CommandError(40159, 'the count field cannot contain a null byte');
    if (field.includes('.')) throw new CommandError(40160, "the count field cannot contain '.'");
    return function* (docs) {
      let count = 0;
      for (const doc of docs) {
        if (doc === PAUSE) yield PAUSE;
        else count++;
      }
      if (count > 0) yield docOf([field, int32(count)]);
    };
  },
};

export const sortByCountStage: StageDefinition = {
  compile(spec, { env }) {
    if (isDoc(spec)) {
      if (![...spec.keys()][0]?.startsWith('$')) {
        throw new CommandError(
          40147,
          'the sortByCount field must be defined as a $-prefixed path or an expression inside an object',
        );
      }
    } else if (typeof spec !== 'string') {
      throw new CommandError(40149, 'the sortByCount field must be specified as a string or as an object');
    } else if (!spec.startsWith('$')) {
      throw new CommandError(
        40148,
        'the sortByCount field must be defined as a $-prefixed path or an expression inside an object',
      );
    }
    const group = grouping(compileExpression(spec, env), compileAccumulators([['count', COUNT]], env), env);
    const order = sortOrder(docOf(['count', int32(-1)]), env);
    return (docs) => holding((groups) => sortDocs(groups, order))(group(docs));
  },
};
