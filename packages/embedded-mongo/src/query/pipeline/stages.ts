import { isDoc, typeName, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';

/** The array of stages of a command or stage. @throws CommandError TypeMismatch unless it is an array of documents */
export function pipelineStages(value: Value | undefined): Doc[] {
  if (!Array.isArray(value)) {
    throw new CommandError('TypeMismatch', `'pipeline' option must be specified as an array, found ${typeName(value)}`);
  }
  return value.map((stage) => {
    if (isDoc(stage)) return stage;
    throw new CommandError('TypeMismatch', "Each element of the 'pipeline' array must be an object");
  });
}
