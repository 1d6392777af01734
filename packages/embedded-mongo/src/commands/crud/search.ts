import { atOnce, PAUSE, type Pause } from '../../bson/pause.js';
import { sliced } from '../../bson/work.js';
import { inContext } from '../../errors.js';
import type { QueryEnv } from '../../query/env.js';
import type { Collection } from '../../storage/collection.js';
import type { PlanRequest } from '../../storage/plan/plan-request.js';
import { planQuery } from '../../storage/plan/planner.js';
import type { Match } from '../../storage/plan/stage.js';
import { LATEST, type ReadView } from '../../storage/read-view.js';
import type { WriteUnit } from '../../storage/write-unit.js';
import { finishInTurns } from '../cursor/take-in-turns.js';
import type { Operation } from '../operation.js';

/** Leaves a write that has changed nothing yet, as nobody may wait for it meanwhile: the search goes on without it. */
class LongSearch {
  constructor(readonly rest: Generator<Pause, Match[]>) {}
}

/** The records that one statement of a write concerns, in order. All are found before the first is changed. */
export class Search {
  private found: readonly Match[] | undefined;

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
    const isAsFound = this.found?.every(({ id, bytes }) => collection.read(id, unit) === bytes);
    if (isAsFound && !(isUpsert && this.found!.length === 0)) return this.found!;
    if (this.found) return atOnce(this.look(collection, unit, env, request)); // somebody was quicker
    const rest = this.look(collection, unit.isTransaction ? unit : LATEST, env, request);
    const { done, value } = sliced(() => rest.next());
    if (done) return value;
    throw new LongSearch(rest);
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

/** Has `write` look for what it changes. Where that takes long, it is found in turns first, and `write` called again. */
export function searching<T>(op: Operation, search: Search, write: (search: Search) => T | Promise<T>): T | Promise<T> {
  const again = async (error: unknown): Promise<T> => {
    if (!(error instanceof LongSearch)) throw error;
    await search.goOn(op, error);
    return write(search);
  };
  try {
    const written = write(search);
    return written instanceof Promise ? written.catch(again) : written;
  } catch (error) {
    return again(error);
  }
}
