import { decodeDoc } from '../../bson/decode.js';
import { pickFields } from '../../bson/field.js';
import { type Doc, docOf, int32, type Value } from '../../bson/value.js';
import type { QueryEnv } from '../../query/env.js';
import type { ReadView } from '../read-view.js';
import type { RecordId } from '../record-store.js';
import type { Pause } from '../../bson/pause.js';
import { spend, workOfLength } from '../../bson/work.js';

/** A record a plan gives: its bytes, decoded when somebody asks for it. */
export class Match {
  private decoded: Doc | undefined;
  /** Whether a stage has fetched its document, and counted that. */
  isFetched = false;

  /** @param fields given where nothing above asks for other fields than these, which an index has the values of */
  constructor(
    readonly id: RecordId,
    readonly bytes: Uint8Array,
    private readonly fields?: ReadonlySet<string>,
  ) {}

  get doc(): Doc {
    if (this.decoded) return this.decoded;
    spend(workOfLength(this.bytes.length));
    return (this.decoded = decodeDoc(this.fields ? pickFields(this.bytes, this.fields) : this.bytes));
  }
}

/** What a plan runs in. */
export interface RunContext {
  readonly view: ReadView;
  readonly env: QueryEnv;
}

/** One stage of a plan. It counts its work, which explain's executionStats show. */
export abstract class PlanStage {
  returned = 0;
  works = 0;
  keysExamined = 0;
  docsExamined = 0;

  constructor(
    readonly name: string,
    readonly inputs: readonly PlanStage[] = [],
  ) {}

  /** Gives what the stage lets through, lazily, and pauses where it takes long. */
  abstract run(context: RunContext): Generator<Match | Pause>;

  /** The stage's own fields in explain. */
  protected abstract details(): [string, Value][];

  /** The stage's own counters in explain's executionStats. */
  protected counters(): [string, Value][] {
    return [];
  }

  /** The stage and its inputs as explain shows them; with counters for executionStats. */
  explain(hasStats: boolean): Doc {
    const doc = docOf(['stage', this.name]);
    const details = this.details();
    const [filter] = details.filter(([name]) => name === 'filter');
    if (filter) doc.set(...filter);
    if (hasStats) {
      doc.set('nReturned', int32(this.returned));
      doc.set('executionTimeMillisEstimate', int32(0));
      doc.set('works', int32(this.works + 1));
      doc.set('advanced', int32(this.returned));
      doc.set('needTime', int32(Math.max(this.works - this.returned, 0)));
      doc.set('needYield', int32(0));
      doc.set('saveState', int32(0));
      doc.set('restoreState', int32(0));
      doc.set('isEOF', int32(1));
    }
    for (const [name, value] of details) if (name !== 'filter') doc.set(name, value);
    if (hasStats) for (const [name, value] of this.counters()) doc.set(name, value);
    if (this.inputs.length === 1) doc.set('inputStage', this.inputs[0]!.explain(hasStats));
    if (this.inputs.length > 1)
      doc.set(
        'inputStages',
        this.inputs.map((input) => input.explain(hasStats)),
      );
    return doc;
  }

  /** The sum of a counter over this stage and its inputs. */
  total(counter: 'keysExamined' | 'docsExamined'): number {
    return this.inputs.reduce((sum, input) => sum + input.total(counter), this[counter]);
  }
}

/** One way to read, as the planner compares them. */
export interface AccessPath {
  readonly stage: PlanStage;
  readonly providesSort: boolean;
}
