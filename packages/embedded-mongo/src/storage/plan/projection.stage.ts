import { isNumeric, type Numeric, toNumber } from '../../bson/number.js';
import type { Doc, Value } from '../../bson/value.js';
import { PAUSE, type Pause } from '../../bson/pause.js';
import { type Match, PlanStage, type RunContext } from './stage.js';

/** Where a plan projects. The documents themselves are projected by who reads the plan. */
export class Projection extends PlanStage {
  constructor(
    private readonly input: PlanStage,
    private readonly spec: Doc,
    isCovered: boolean,
  ) {
    super(isCovered ? 'PROJECTION_COVERED' : isSimple(spec) ? 'PROJECTION_SIMPLE' : 'PROJECTION_DEFAULT', [input]);
  }

  *run(context: RunContext): Generator<Match | Pause> {
    for (const match of this.input.run(context)) {
      if (match === PAUSE) {
        yield PAUSE;
        continue;
      }
      this.works++;
      this.returned++;
      yield match;
    }
  }

  protected details(): [string, Value][] {
    return [['transformBy', this.spec]];
  }
}

/** Top-level fields that are kept or dropped, and nothing else. */
const isSimple = (spec: Doc): boolean => [...spec].every(([path, value]) => !path.includes('.') && isFlag(value));

const isFlag = (value: Value): value is boolean | Numeric => typeof value === 'boolean' || isNumeric(value);
const isTrue = (flag: boolean | Numeric): boolean => (typeof flag === 'boolean' ? flag : toNumber(flag) !== 0);

/**
 * The paths that a projection keeps and that say all about it; undefined for one that drops or computes fields, or
 * asks for more than values.
 */
export function keptPaths(spec: Doc): readonly string[] | undefined {
  const paths = new Set(['_id']);
  for (const [path, value] of spec) {
    if (!isFlag(value) || path.includes('$')) return undefined;
    if (isTrue(value)) paths.add(path);
    else if (path === '_id') paths.delete('_id');
    else return undefined;
  }
  return paths.size > 0 ? [...paths] : undefined;
}
