import { CommandError } from '../../errors.js';
import { formatField } from '../../bson/format.js';
import { isDoc, typeName, type Value } from '../../bson/value.js';
import type { PipelineNamespace } from '../env.js';
import type { StageDefinition, StageFamily } from './stage.js';

/** A stage whose documents the host supplies; `assertNamespace` tells where it may run. */
function hostSource(
  options: Pick<StageDefinition, 'forbiddenIn' | 'isCollectionless'>,
  assertNamespace: (namespace: PipelineNamespace) => void = () => {},
  notAnObject = (name: string, spec: Value): CommandError =>
    new CommandError('FailedToParse', `the ${name} stage specification must be an object, but found ${typeName(spec)}`),
): StageDefinition {
  return {
    ...options,
    position: 'first',
    isSource: true,
    compile(spec, context, name) {
      if (!isDoc(spec)) throw notAnObject(name, spec);
      assertNamespace(context.namespace);
      return () => context.host.source(name, spec, context.namespace);
    },
  };
}

function assertIsAdmin({ db, coll }: PipelineNamespace): void {
  if (db === 'admin' && coll === undefined) return;
  throw new CommandError('InvalidNamespace', "$currentOp must be run against the 'admin' database with {aggregate: 1}");
}

function assertIsSessions({ db, coll }: PipelineNamespace): void {
  if (db === 'config' && coll === 'system.sessions') return;
  throw new CommandError('InvalidNamespace', '$listSessions may only be run against config.system.sessions');
}

function assertHasNoCollection({ coll }: PipelineNamespace): void {
  if (coll === undefined) return;
  throw new CommandError(
    'InvalidNamespace',
    '$listLocalSessions must be run against the database with {aggregate: 1}, not a collection',
  );
}

/** Stages about the server, which it alone can answer. */
export const hostSourceStages: StageFamily = {
  $changeStream: hostSource({
    isCollectionless: true,
    forbiddenIn: ['$facet', '$lookup', '$unionWith', 'view', 'transaction'],
  }),
  $collStats: hostSource(
    { forbiddenIn: ['$facet', 'transaction'] },
    undefined,
    (name, spec) =>
      new CommandError(5447000, `$collStats must take a nested object but found: ${formatField(name, spec)}`),
  ),
  $indexStats: hostSource({ forbiddenIn: ['$facet', 'transaction'] }),
  $planCacheStats: hostSource({ forbiddenIn: ['$facet', 'transaction'] }),
  $currentOp: hostSource(
    { isCollectionless: true, forbiddenIn: ['$facet', '$lookup', '$unionWith', 'view', 'transaction'] },
    assertIsAdmin,
  ),
  $listLocalSessions: hostSource(
    { isCollectionless: true, forbiddenIn: ['$facet', 'view', 'transaction'] },
    assertHasNoCollection,
  ),
  $listSessions: hostSource({ forbiddenIn: ['$facet', 'transaction'] }, assertIsSessions),
};

const unavailable = (code: number, message: (name: string) => string): StageDefinition => ({
  position: 'first',
  isSource: true,
  isCollectionless: true,
  compile(_, __, name) {
    throw new CommandError(code, message(name));
  },
});

const NO_SEARCH = (name: string): string =>
  `${name} stage is only allowed on MongoDB Atlas. Please connect to Atlas or an AtlasCLI local deployment to enable it.`;

/** Stages that a server without Atlas Search refuses. */
export const searchStages: StageFamily = {
  $search: unavailable(31082, NO_SEARCH),
  $searchMeta: unavailable(31082, NO_SEARCH),
  $vectorSearch: unavailable(31082, NO_SEARCH),
  $listSearchIndexes: unavailable(6047401, NO_SEARCH),
};
