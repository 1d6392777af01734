import { atOnce, PAUSE, type Pause } from '../../bson/pause.js';
import { sliced } from '../../bson/work.js';
import { inContext } from '../../errors.js';
import type { Doc } from '../../bson/value.js';
import type { QueryEnv } from '../../query/env.js';
import { compileFilter } from '../../query/filter.js';
import { hasText } from '../../query/metadata.js';
import type { RecordId } from '../../storage/record-store.js';
import type { Collection } from '../../storage/collection.js';
import type { PlanRequest } from '../../storage/plan/plan-request.js';
import { planQuery } from '../../storage/plan/planner.js';
import { Match } from '../../storage/plan/stage.js';
import { LATEST, type ReadView } from '../../storage/read-view.js';
import type { WriteUnit } from '../../storage/write-unit.js';
import { finishInTurns } from '../cursor/take-in-turns.js';
import type { Operation } from '../operation.js';

/** Leaves a write that has changed nothing yet, as nobody may wait for it meanwhile: the search goes on without it. */
class LongSearch {
  constructor(readonly rest: Generator<Pause, Match[]>) {}
}

/** How often what others have changed meanwhile is looked for in turns; then it is in one piece, so that it ends. */
const MOST_ROUNDS = 5;

/** The records that one statement of a write concerns, in order. All are found before the first is changed. */
export class Search {
  private found: readonly Match[] | undefined;
  private rounds = 0;
  /** How many writes the collection had seen when it began. */
  private writes = 0;

  /**
   * @param isOfOne looks for the first record only
   * @param context what errors of it, other than of the plan, begin with
   */
  constructor(
    private readonly isOfOne: boolean,
    private readonly context?: string,
  ) {}

  /** @throws LongSearch, which `searching` awaits */
  records(
    collection: Collection,
    unit: WriteUnit,
    env: QueryEnv,
    request: PlanRequest,
    isUpsert: boolean,
  ): readonly Match[] {
    const found = this.found && this.asItIs(this.found, collection, unit, env, request, isUpsert);
    if (found) return found;
    this.writes = collection.writeCount;
    const rest = this.look(collection, unit.isTransaction ? unit : LATEST, env, request);
    const { done, value } = sliced(() => rest.next());
    if (done) return value;
    if (++this.rounds > MOST_ROUNDS) return atOnce(rest);
    throw new LongSearch(rest);
  }

  /**
   * What was found, without what others have changed so that it is not concerned any more; undefined where another record may be
   * concerned now, and one is looked for.
   */
  private asItIs(
    found: readonly Match[],
    collection: Collection,
    unit: WriteUnit,
    env: QueryEnv,
    { filter }: PlanRequest,
    isUpsert: boolean,
  ): readonly Match[] | undefined {
    if (found.length === 0) return !isUpsert || collection.writeCount === this.writes ? found : undefined;
    const now = found.map(({ id }) => collection.read(id, unit));
    if (found.every(({ bytes }, i) => now[i] === bytes)) return found;
    const isLike = this.isOfOne || hasText(filter) ? undefined : concernedBy(filter, env);
    return isLike && found.flatMap((match, i) => (now[i] === match.bytes ? [match] : isLike(match.id, now[i])));
  }

  /** Goes on with a search that was too long, while others have their turn. */
  async goOn(op: Operation, { rest }: LongSearch): Promise<void> {
    this.found = await finishInTurns(op, rest);
  }

  private look(collection: Collection, view: ReadView, env: QueryEnv, request: PlanRequest): Generator<Pause, Match[]> {
    return this.taken(planQuery(collection, request, env).runInTurns(view));
  }

  private *taken(matches: Iterable<Match | Pause>): Generator<Pause, Match[]> {
    const found: Match[] = [];
    try {
      for (const match of matches) {
        if (match === PAUSE) yield PAUSE;
        else if (found.push(match) > 0 && this.isOfOne) break;
      }
      return found;
    } catch (error) {
      throw this.context === undefined ? error : inContext(error, this.context);
    }
  }
}

/** Tells of a record whether it is concerned; undefined for a filter that only an index answers. */
function concernedBy(
  filter: Doc,
  env: QueryEnv,
): ((id: RecordId, bytes: Uint8Array | undefined) => Match[]) | undefined {
  let matches: (doc: Doc) => boolean;
  try {
    matches = compileFilter(filter, env);
  } catch {
    return undefined;
  }
  return (id, bytes) => {
    const match = bytes && new Match(id, bytes);
    return match && matches(match.doc) ? [match] : [];
  };
}

/** Has `write` look for what it changes. Where that takes long, it is found in turns first, and `write` called again. */
export function searching<T>(op: Operation, search: Search, write: (search: Search) => T | Promise<T>): T | Promise<T> {
  const again = async (error: unknown): Promise<T> => {
    if (!(error instanceof LongSearch)) throw error;
    await search.goOn(op, error);
    return searching(op, search, write);
  };
  try {
    const written = write(search);
    return written instanceof Promise ? written.catch(again) : written;
  } catch (error) {
    return again(error);
  }
}
