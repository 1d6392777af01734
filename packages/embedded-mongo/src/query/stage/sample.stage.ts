import { isNumeric, toNumber } from '../../bson/number.js';
import type { Doc } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { holding, docSpec, type StageDefinition } from './stage.js';

export const sampleStage: StageDefinition = {
  compile(spec) {
    const fields = docSpec(spec, 28745, () => 'the $sample stage specification must be an object');
    for (const [field, value] of fields) {
      if (field !== 'size') throw new CommandError(28748, `unrecognized option to $sample: ${field}`);
      if (!isNumeric(value)) throw new CommandError(28746, 'size argument to $sample must be a number');
      if (toNumber(value) < 0) throw new CommandError(28747, 'size argument to $sample must not be negative');
    }
    const size = fields.get('size');
    if (!isNumeric(size)) throw new CommandError(28749, '$sample stage must specify a size');
    const most = Math.trunc(toNumber(size));
    return holding(function* (docs) {
      const all: Doc[] = [...docs];
      // The first part of a shuffle (Fisher and Yates).
      for (let i = 0; i < Math.min(most, all.length); i++) {
        const other = i + Math.floor(Math.random() * (all.length - i));
        [all[i], all[other]] = [all[other] as Doc, all[i] as Doc];
        yield all[i] as Doc;
      }
    });
  },
};
