import { PAUSE } from '../../bson/pause.js';
import type { Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { parseNonNegativeInteger } from '../filter/integer.js';
import type { StageDefinition } from './stage.js';

function amount(spec: Value, name: string, code: number): number {
  try {
    return Number(parseNonNegativeInteger(name, spec));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new CommandError(code, `invalid argument to ${name} stage: ${error.message}`);
  }
}

export const limitStage: StageDefinition = {
  compile(spec, _, name) {
    const limit = amount(spec, name, 5107201);
    if (limit === 0) throw new CommandError(15958, 'the limit must be positive');
    return function* (docs) {
      let count = 0;
      for (const doc of docs) {
        yield doc;
        if (doc !== PAUSE && ++count === limit) return;
      }
    };
  },
};

export const skipStage: StageDefinition = {
  compile(spec, _, name) {
    const skip = amount(spec, name, 5107200);
    return function* (docs) {
      let count = 0;
      for (const doc of docs) if (doc === PAUSE || count++ >= skip) yield doc;
    };
  },
};
