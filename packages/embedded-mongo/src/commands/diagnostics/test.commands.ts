import type { Command } from '../command.js';
import { reply } from '../reply.js';

/** The commands of a mongod with `enableTestCommands` that drivers test the Stable API with. */
export const testVersions1And2: Command = {
  name: 'testVersions1And2',
  isInApiV1: true,
  args: { testVersions1And2: 'any' },
  run: () => reply({}),
};

export const testVersion2: Command = {
  ...testVersions1And2,
  name: 'testVersion2',
  isInApiV1: false,
  args: { testVersion2: 'any' },
};
