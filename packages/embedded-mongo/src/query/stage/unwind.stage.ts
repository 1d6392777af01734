import { PAUSE } from '../../bson/pause.js';
import { isDoc, typeName, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { parseFieldPath } from '../expression/field-path.js';
import { isNullish } from '../expression/operand.js';
import { getPath } from '../../bson/path.js';
import { withPath, withoutPath } from './document.js';
import type { StageDefinition } from './stage.js';

interface UnwindSpec {
  readonly path: readonly string[];
  readonly index: readonly string[] | undefined;
  readonly isPreserving: boolean;
}

function parse(spec: Value): UnwindSpec {
  if (typeof spec === 'string') return { path: fieldPath(spec), index: undefined, isPreserving: false };
  if (!isDoc(spec)) {
    throw new CommandError(
      15981,
      `expected either a string or an object as specification for $unwind stage, got ${typeName(spec)}`,
    );
  }
  for (const field of spec.keys()) {
    if (!['path', 'preserveNullAndEmptyArrays', 'includeArrayIndex'].includes(field)) {
      throw new CommandError(28811, `unrecognized option to $unwind stage: ${field}`);
    }
  }
  const path = spec.get('path');
  if (path === undefined) throw new CommandError(28812, 'no path specified to $unwind stage');
  if (typeof path !== 'string') {
    throw new CommandError(28808, `expected a string as the path for $unwind stage, got ${typeName(path)}`);
  }
  const isPreserving = spec.get('preserveNullAndEmptyArrays') ?? false;
  if (typeof isPreserving !== 'boolean') {
    throw new CommandError(
      28809,
      `expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage, got ${typeName(isPreserving)}`,
    );
  }
  return { path: fieldPath(path), index: indexPath(spec.get('includeArrayIndex')), isPreserving };
}

function fieldPath(path: string): readonly string[] {
  if (path.startsWith('$')) return parseFieldPath(path.slice(1));
  throw new CommandError(28818, `path option to $unwind stage should be prefixed with a '$': ${path}`);
}

function indexPath(index: Value | undefined): readonly string[] | undefined {
  if (index === undefined) return undefined;
  if (typeof index !== 'string' || index === '') {
    throw new CommandError(
      28810,
      `expected a non-empty string for the includeArrayIndex  option to $unwind stage, got ${typeName(index)}`,
    );
  }
  if (!index.startsWith('$')) return parseFieldPath(index);
  throw new CommandError(
    28822,
    `includeArrayIndex option to $unwind stage should not be prefixed with a '$': ${index}`,
  );
}

export const unwindStage: StageDefinition = {
  compile(spec) {
    const { path, index, isPreserving } = parse(spec);
    const indexed = (doc: Doc, at: bigint | null): Doc => (index ? withPath(doc, index, at) : doc);
    return function* (docs) {
      for (const doc of docs) {
        if (doc === PAUSE) {
          yield PAUSE;
          continue;
        }
        const value = getPath(doc, path);
        if (Array.isArray(value) && value.length > 0) {
          for (const [i, item] of value.entries()) yield indexed(withPath(doc, path, item), BigInt(i));
        } else if (isNullish(value) || Array.isArray(value)) {
          if (isPreserving) yield indexed(Array.isArray(value) ? withoutPath(doc, path) : doc, null);
        } else yield indexed(doc, null);
      }
    };
  },
};
