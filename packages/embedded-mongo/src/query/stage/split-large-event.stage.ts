import type { StageDefinition } from './stage.js';

/** `$changeStreamSplitLargeEvent`: the change stream itself splits its events, after all stages. */
export const splitLargeEventStage: StageDefinition = {
  position: 'last',
  onlyIn: '$changeStream',
  compile: () => (docs) => docs,
};
