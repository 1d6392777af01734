import { CommandError } from '../../errors.js';
import { valueKey } from '../../query/value-key.js';
import { compareValues } from '../../bson/compare.js';
import { PAUSE, type Pause } from '../../bson/pause.js';
import { encodeDoc } from '../../bson/encode.js';
import { BsonUndefined, type Doc, type Value } from '../../bson/value.js';
import { splitPath, visitPath } from '../../bson/path.js';
import { timestampOf } from '../../storage/clock.js';
import { docArgument, stringArgument } from '../arguments.js';
import type { Command } from '../command.js';
import { finishInTurns } from '../cursor/take-in-turns.js';
import { isMadeWhenRead } from '../system/system-collections.js';
import { MAX_BSON_SIZE } from '../handshake/limits.js';
import { reply } from '../reply.js';
import { planQuery } from '../../storage/plan/planner.js';
import { explainQuery } from './explain-query.js';
import { hintOf } from './hint.js';
import { namespaceOf } from './namespace-argument.js';
import { queryEnv } from './query-env.js';
import { openReadView } from './read-view.js';
import { viewCollation } from './view-collation.js';
import { readFromView } from './view-query.js';
import type { PlanRequest } from '../../storage/plan/plan-request.js';

const EMPTY: Doc = new Map();

export const distinct: Command = {
  name: 'distinct',
  isAllowedInTransaction: true,
  takesReadConcern: true,
  args: { distinct: 'any', key: 'string!', query: 'object', collation: 'object', hint: 'any' },
  async run(op) {
    const { args, server } = op;
    const ns = namespaceOf(op);
    const { view, snapshot } = openReadView(op);
    const entry = server.storage.catalog.find(ns, view);
    const given = docArgument(args, 'collation');
    const env = queryEnv(op, {
      collation: entry?.kind === 'view' ? viewCollation(entry, given) : given,
      collection: entry?.kind === 'view' ? undefined : entry,
    });
    const request = requestOf(args);
    const key = stringArgument(args, 'key')!;
    if (key.includes('\0')) throw new CommandError(31032, 'Key field cannot contain an embedded null byte');
    const path = splitPath(key);
    const found = new Map<unknown, Value>();
    const note = (value: Value): void => {
      const key = valueKey(value, env.collation);
      if (!found.has(key)) found.set(key, value);
    };
    const isMade = entry?.kind === 'view' || isMadeWhenRead(ns);
    const plan = isMade ? undefined : planQuery(entry, request, env);
    const docs = plan ? docsOf(plan.runInTurns(view)) : readFromView(op, ns, view, { filter: request.filter }, env);
    const look = function* (): Generator<Pause, Value[]> {
      for (const doc of docs) {
        if (doc === PAUSE) {
          yield PAUSE;
          continue;
        }
        let isEmpty = true;
        visitPath(doc, path, 'elements', (value) => {
          isEmpty = false;
          if (value !== undefined) note(value);
          else if (plan?.isOfKeys) note(null);
          return false;
        });
        if (isEmpty && plan?.isOfKeys) note(BsonUndefined.value);
      }
      return [...found.values()].sort((a, b) => compareValues(a, b, env.collation));
    };
    const values = await finishInTurns(op, look());
    if (encodeDoc(new Map([['values', values]])).length > MAX_BSON_SIZE) {
      throw new CommandError(17217, 'distinct too big, 16mb cap');
    }
    return reply({ values, atClusterTime: snapshot && timestampOf(snapshot.tick) });
  },
  explain: (op, hasStats) => explainQuery(op, hasStats, requestOf(op.args), docArgument(op.args, 'collation')),
};

/** What a distinct asks the planner for. */
const requestOf = (args: Doc): PlanRequest => ({
  filter: docArgument(args, 'query') ?? EMPTY,
  hint: hintOf(args),
  distinctKey: stringArgument(args, 'key'),
});

function* docsOf(matches: Iterable<{ readonly doc: Doc } | Pause>): Iterable<Doc | Pause> {
  for (const match of matches) yield match === PAUSE ? PAUSE : match.doc;
}
