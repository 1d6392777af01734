import { isDoc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { hasText } from '../metadata.js';
import type { PipelineNamespace } from '../env.js';
import { STAGES } from '../stage/stages.js';
import type { Enclosure, StageDefinition } from '../stage/stage.js';

export interface ParsedStage {
  readonly name: string;
  readonly spec: Value;
  readonly definition: StageDefinition;
}

/** Finds what a stage is. @throws CommandError 40323 or 40324 when it is none */
export function parseStage(stage: Value): ParsedStage {
  if (!isDoc(stage)) {
    throw new CommandError('TypeMismatch', "Each element of the 'pipeline' array must be an object");
  }
  const [entry] = stage;
  if (stage.size !== 1 || entry === undefined) {
    throw new CommandError(40323, 'A pipeline stage specification object must contain exactly one field.');
  }
  const [name, spec] = entry;
  const definition = STAGES.get(name);
  if (definition === undefined) throw new CommandError(40324, `Unrecognized pipeline stage name: '${name}'`);
  return { name, spec, definition };
}

/** The error for a stage that may not stand in an enclosure. */
const FORBIDDEN: Readonly<Record<Enclosure, (name: string) => CommandError>> = {
  $facet: (name) => new CommandError(40600, `${name} is not allowed to be used within a $facet stage`),
  $lookup: (name) => new CommandError(51047, `${name} is not allowed within a $lookup's sub-pipeline`),
  $unionWith: (name) => new CommandError(31441, `${name} is not allowed within a $unionWith's sub-pipeline`),
  update: (name) => new CommandError('InvalidOptions', `${name} is not allowed to be used within an update`),
  view: (name) =>
    new CommandError('OptionNotSupportedOnView', `The aggregation stage ${name} cannot be used in a view definition`),
  transaction: (name) =>
    new CommandError(
      'OperationNotSupportedInTransaction',
      `Stage not supported inside of a multi-document transaction: ${name}`,
    ),
  $changeStream: (name) => new CommandError('IllegalOperation', `${name} is not permitted in a $changeStream pipeline`),
};

const IN_UPDATES = ['$addFields', '$set', '$project', '$unset', '$replaceRoot', '$replaceWith'];
const IN_CHANGE_STREAMS = [...IN_UPDATES, '$changeStream', '$match', '$redact', '$changeStreamSplitLargeEvent'];

function isForbidden({ name, definition }: ParsedStage, enclosure: Enclosure): boolean {
  if (enclosure === 'update') return !IN_UPDATES.includes(name);
  if (enclosure === '$changeStream') return !IN_CHANGE_STREAMS.includes(name);
  return definition.forbiddenIn?.includes(enclosure) ?? false;
}

/** @throws CommandError for the first stage that may not stand where it does */
export function assertPlacement(
  stages: readonly ParsedStage[],
  namespace: PipelineNamespace,
  enclosures: readonly Enclosure[],
): void {
  assertNamespace(stages[0], namespace);
  const all: readonly Enclosure[] = stages[0]?.name === '$changeStream' ? [...enclosures, '$changeStream'] : enclosures;
  stages.forEach((stage, i) => {
    for (const enclosure of all.toReversed()) if (isForbidden(stage, enclosure)) throw FORBIDDEN[enclosure](stage.name);
    const { position, onlyIn } = stage.definition;
    if (i > 0 && stage.name === '$match' && isDoc(stage.spec) && hasText(stage.spec)) {
      throw new CommandError(17313, '$match with $text is only allowed as the first pipeline stage');
    }
    if (onlyIn && !all.includes(onlyIn)) {
      throw new CommandError('IllegalOperation', `${stage.name} can only be used in a ${onlyIn} pipeline`);
    }
    if (position === 'first' && i > 0) {
      throw new CommandError(40602, `${stage.name} is only valid as the first stage in a pipeline`);
    }
    if (position === 'last' && i < stages.length - 1) {
      throw new CommandError(40601, `${stage.name} can only be the final stage in the pipeline`);
    }
  });
}

function assertNamespace(first: ParsedStage | undefined, { coll }: PipelineNamespace): void {
  if (coll !== undefined) return;
  if (first === undefined) {
    throw new CommandError('InvalidNamespace', '{aggregate: 1} is not valid for an empty pipeline.');
  }
  if (first.definition.isCollectionless) return;
  throw new CommandError(
    'InvalidNamespace',
    `{aggregate: 1} is not valid for '${first.name}'; a collection is required.`,
  );
}
