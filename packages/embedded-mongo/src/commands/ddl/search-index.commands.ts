import { CommandError } from '../../errors.js';
import type { Command } from '../command.js';

const SEARCH_NOT_ENABLED = 31082;

/** A server that is not part of Atlas knows the commands for search indexes, and refuses them. */
const searchIndexCommand = (name: string): Command => ({
  name,
  isLenient: true,
  args: {},
  run() {
    throw new CommandError(
      SEARCH_NOT_ENABLED,
      'Using Atlas Search Database Commands and the $listSearchIndexes aggregation stage requires additional configuration. ' +
        'Please connect to Atlas or an AtlasCLI local deployment to enable. ' +
        'For more information on how to connect, see https://dochub.mongodb.org/core/atlas-cli-deploy-local-reqs.',
    );
  },
});

export const createSearchIndexes = searchIndexCommand('createSearchIndexes');
export const updateSearchIndex = searchIndexCommand('updateSearchIndex');
export const dropSearchIndex = searchIndexCommand('dropSearchIndex');
export const listSearchIndexes = searchIndexCommand('listSearchIndexes');
