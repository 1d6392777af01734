import { isDoc, typeName, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { compileDocExpression } from '../expression.js';
import { display } from '../expression/display.js';
import { docSpec, mapping, type Stage, type StageContext, type StageDefinition } from './stage.js';

function replacing(root: Value, { env }: StageContext, what: string): Stage {
  const expression = compileDocExpression(root, env);
  return mapping((doc) => {
    const replacement = expression(doc);
    if (isDoc(replacement)) return replacement;
    throw new CommandError(
      40228,
      `${what} must evaluate to an object, but resulting value was: ${display(replacement)}. Type of resulting value: '${typeName(replacement)}'. Input document: ${display(doc)}`,
    );
  });
}

export const replaceRootStage: StageDefinition = {
  compile(spec, context) {
    const fields = docSpec(
      spec,
      40229,
      (type) => `expected an object as specification for $replaceRoot stage, got ${type}`,
    );
    for (const field of fields.keys()) {
      if (field === 'newRoot') continue;
      throw new CommandError(
        40230,
        `unrecognized option to $replaceRoot stage: ${field}, only valid option is 'newRoot'.`,
      );
    }
    const root = fields.get('newRoot');
    if (root === undefined) throw new CommandError(40231, 'no newRoot specified for the $replaceRoot stage');
    return replacing(root, context, "'newRoot' expression ");
  },
};

export const replaceWithStage: StageDefinition = {
  compile: (spec, context) => replacing(spec, context, "'replacement document' "),
};
