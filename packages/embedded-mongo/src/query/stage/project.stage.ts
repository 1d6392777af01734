import { type Doc } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { ConstantError } from '../expression/operator.js';
import { compileAddFields, compileProject } from '../projection.js';
import { docSpec, mapping, type StageDefinition } from './stage.js';

/** Puts the name of a stage before what is wrong with its specification. */
function within<T>(name: string, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof CommandError) || error instanceof ConstantError) throw error;
    throw new CommandError(error.code, `Invalid ${name} :: caused by :: ${error.message}`);
  }
}

export const projectStage: StageDefinition = {
  compile(spec, { env }, name) {
    const fields = docSpec(spec, 15969, () => '$project specification must be an object');
    return mapping(within(name, () => compileProject(fields, env)));
  },
};

/** `$addFields` and `$set`. */
export const addFieldsStage: StageDefinition = {
  compile(spec, { env }, name) {
    const fields = docSpec(spec, 40272, (type) => `${name} specification stage must be an object, got ${type}`);
    return mapping(within(name, () => compileAddFields(fields, env)));
  },
};

export const unsetStage: StageDefinition = {
  compile(spec, { env }, name) {
    const fields = typeof spec === 'string' ? [spec] : spec;
    if (!Array.isArray(fields)) throw new CommandError(31002, '$unset specification must be a string or an array');
    if (fields.length === 0) {
      throw new CommandError(31119, '$unset specification must be a string or an array with at least one field');
    }
    const excluded: Doc = new Map();
    for (const field of fields) {
      if (typeof field !== 'string') {
        throw new CommandError(
          31120,
          '$unset specification must be a string or an array containing only string values',
        );
      }
      if (excluded.has(field))
        throw new CommandError(31250, `Invalid ${name} :: caused by :: Path collision at ${field}`);
      excluded.set(field, false);
    }
    return mapping(within(name, () => compileProject(excluded, env)));
  },
};
