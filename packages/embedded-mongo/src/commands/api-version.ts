import { CommandError } from '../errors.js';
import type { Doc, Value } from '../bson/value.js';
import { isDoc } from '../bson/value.js';
import { arrayArgument, boolArgument, stringArgument } from './arguments.js';
import type { Command } from './command.js';
import type { MongoServer } from './server.js';

/** The Stable API's rules (manual: Stable API). @throws CommandError */
export function checkApiVersion(server: MongoServer, command: Command, commandName: string, args: Doc): void {
  const version = stringArgument(args, 'apiVersion');
  if (version === undefined) {
    if (args.has('apiStrict') || args.has('apiDeprecationErrors')) {
      const field = args.has('apiStrict') ? 'apiStrict' : 'apiDeprecationErrors';
      throw new CommandError(4886600, `Provided ${field} without passing apiVersion`);
    }
    if (server.parameters.isApiVersionRequired && !command.isAuthFree && commandName !== 'getMore') {
      throw new CommandError(498870, 'The apiVersion parameter is required, please configure your MongoClient');
    }
    return;
  }
  if (version !== '1') throw new CommandError('APIVersionError', 'API version must be "1"');
  if (!boolArgument(args, 'apiStrict')) return;
  if (!(command.isInApiV1 && commandName === command.name)) {
    throw new CommandError(
      'APIStrictError',
      `Provided apiStrict:true, but the command ${commandName} is not in API Version 1. Information on supported commands and migrations in API Version 1 can be found at https://dochub.mongodb.org/core/manual-versioned-api`,
    );
  }
  checkStages(arrayArgument(args, 'pipeline') ?? []);
}

const UNSTABLE_STAGES = ['$currentOp', '$indexStats', '$listLocalSessions', '$listSessions', '$planCacheStats'];

function checkStages(stages: readonly Value[]): void {
  for (const stage of stages) {
    const [name, spec] = isDoc(stage) ? ([...stage][0] ?? []) : [];
    if (name === undefined) continue;
    const isUnstable =
      UNSTABLE_STAGES.includes(name) ||
      (name === '$collStats' && isDoc(spec) && [...spec.keys()].some((key) => key !== 'count'));
    if (isUnstable) {
      throw new CommandError('APIStrictError', `stage ${name} is not allowed with 'apiStrict: true' in API Version 1`);
    }
  }
}

/** The Stable API parameters of a command as the server's errors print them; cursors and transactions have to keep theirs. */
export function apiParameters(args: Doc): string {
  const given = ['apiVersion', 'apiStrict', 'apiDeprecationErrors'].filter((name) => args.has(name));
  return `{ ${given.map((name) => `${name}: ${JSON.stringify(args.get(name))}`).join(', ')} }`;
}
