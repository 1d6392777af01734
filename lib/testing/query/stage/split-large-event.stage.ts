import type { StageDefinition } from './stage.js';

/** `$changeStreamSplitLargeEvent`: events are handed on whole, as one that fits the protocol always is. */
export const splitLargeEventStage: StageDefinition = {
  position: 'last',
  onlyIn: '$changeStream',
  compile: () => (docs) => docs,
};
