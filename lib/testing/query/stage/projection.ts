import { isNumeric } from '../../bson/number.js';
import { isDoc, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { QueryEnv } from '../env.js';
import { compileExpression, scopeOf, type Expression, type Scope } from '../expression.js';
import { parseFieldPath } from '../expression/field-path.js';
import { isTruthy } from '../expression/operand.js';
import { pathCollision } from '../projection/node.js';

/** What becomes of a field: kept, dropped, computed, or a document whose fields have fates of their own. */
type Fate = 'included' | 'excluded' | Expression | ProjectionNode;
type Kind = 'inclusion' | 'exclusion' | 'addition';

/** The fates of the fields of documents at one place of a projection. */
class ProjectionNode {
  readonly fates = new Map<string, Fate>();

  /** Whether an expression is computed here or below. */
  get isComputed(): boolean {
    return [...this.fates.values()].some((fate) =>
      fate instanceof ProjectionNode ? fate.isComputed : typeof fate === 'function',
    );
  }

  set(path: readonly string[], fate: Exclude<Fate, ProjectionNode>, whole: string): void {
    const [field = '', ...rest] = path;
    const present = this.fates.get(field);
    if (rest.length === 0) {
      if (present !== undefined) throw pathCollision(whole);
      this.fates.set(field, fate);
      return;
    }
    const node = present ?? new ProjectionNode();
    if (!(node instanceof ProjectionNode)) throw pathCollision(whole, rest.join('.'));
    this.fates.set(field, node);
    node.set(rest, fate, whole);
  }
}

interface Leaf {
  readonly path: readonly string[];
  readonly value: Value;
}

/** The leaves of a specification: `{ a: { b: 1 } }` says the same as `{ 'a.b': 1 }`. */
function* leaves(spec: Doc, isAddition: boolean, above: readonly string[] = []): Iterable<Leaf> {
  for (const [field, value] of spec) {
    if (field.endsWith('.$') && !isAddition) {
      throw new CommandError(31324, 'Cannot use positional projection in aggregation projection');
    }
    const path = [...above, ...parseFieldPath(field)];
    if (!isDoc(value)) {
      yield { path, value };
      continue;
    }
    const [first] = value.keys();
    if (first === undefined) {
      if (isAddition) yield { path, value };
      else {
        throw new CommandError(
          51270,
          `An empty sub-projection is not a valid value. Found empty object at path ${path.join('.')}`,
        );
      }
    } else if (first.startsWith('$')) {
      if (value.size > 1) {
        throw new CommandError(
          40181,
          `an expression specification must contain exactly one field, the name of the expression. Found ${value.size} fields in ${path.join('.')}`,
        );
      }
      yield { path, value };
    } else yield* leaves(value, isAddition, path);
  }
}

const isFlag = (value: Value): boolean => typeof value === 'boolean' || isNumeric(value);
const isId = ({ path }: Leaf): boolean => path.length === 1 && path[0] === '_id';

/** Whether a `$project` keeps the fields it names or drops them. */
function kindOf(all: readonly Leaf[]): 'inclusion' | 'exclusion' {
  const decisive = all.find((leaf) => !isId(leaf)) ?? all[0];
  return decisive && isFlag(decisive.value) && !isTruthy(decisive.value) ? 'exclusion' : 'inclusion';
}

function fateOf(leaf: Leaf, kind: Kind, env: QueryEnv): Expression | 'included' | 'excluded' {
  const { path, value } = leaf;
  const whole = path.join('.');
  if (kind === 'addition' || !isFlag(value)) {
    if (kind === 'exclusion') {
      throw new CommandError(31252, `Cannot use expression other than $meta in exclusion projection`);
    }
    return compileExpression(value, env);
  }
  const isIncluded = isTruthy(value);
  if (isId(leaf)) return isIncluded ? 'included' : 'excluded';
  if (isIncluded && kind === 'exclusion') {
    throw new CommandError(31253, `Cannot do inclusion on field ${whole} in exclusion projection`);
  }
  if (!isIncluded && kind === 'inclusion') {
    throw new CommandError(31254, `Cannot do exclusion on field ${whole} in inclusion projection`);
  }
  return isIncluded ? 'included' : 'excluded';
}

function compile(env: QueryEnv, kind: Kind, all: readonly Leaf[]): (doc: Doc) => Doc {
  const root = new ProjectionNode();
  for (const leaf of all) root.set(leaf.path, fateOf(leaf, kind, env), leaf.path.join('.'));
  if (kind === 'inclusion' && !root.fates.has('_id')) root.fates.set('_id', 'included');
  const { isComputed } = root;
  return (doc) => {
    const kept = kind === 'addition' ? new Map(doc) : keep(root, doc, kind);
    return isComputed ? compute(root, kept, scopeOf(doc)) : kept;
  };
}

/** The fields of a document that stay, in their order. */
function keep(node: ProjectionNode, doc: Doc, kind: Kind): Doc {
  const result: Doc = new Map();
  for (const [field, value] of doc) {
    const fate = node.fates.get(field);
    const kept =
      fate instanceof ProjectionNode
        ? keepWithin(fate, value, kind)
        : fate === 'included' || (fate === undefined && kind === 'exclusion')
          ? value
          : undefined;
    if (kept !== undefined) result.set(field, kept);
  }
  return result;
}

function keepWithin(node: ProjectionNode, value: Value, kind: Kind): Value | undefined {
  if (isDoc(value)) return keep(node, value, kind);
  if (Array.isArray(value)) {
    return value.map((item) => keepWithin(node, item, kind)).filter((item) => item !== undefined);
  }
  return kind === 'exclusion' ? value : undefined;
}

/** Sets the computed fields; those at dotted paths in every document they lead to. */
function compute(node: ProjectionNode, doc: Doc, scope: Scope): Doc {
  for (const [field, fate] of node.fates) {
    if (fate instanceof ProjectionNode) {
      if (fate.isComputed) doc.set(field, computeWithin(fate, doc.get(field), scope));
    } else if (typeof fate === 'function') {
      const value = fate(scope);
      if (value === undefined) doc.delete(field);
      else doc.set(field, value);
    }
  }
  return doc;
}

function computeWithin(node: ProjectionNode, value: Value | undefined, scope: Scope): Value {
  if (Array.isArray(value)) return value.map((item) => computeWithin(node, item, scope));
  return compute(node, isDoc(value) ? new Map(value) : new Map(), scope);
}

/** Compiles the specification of `$project`. */
export function compileProject(spec: Doc, env: QueryEnv): (doc: Doc) => Doc {
  if (spec.size === 0) throw new CommandError(51272, 'projection specification must have at least one field');
  const all = [...leaves(spec, false)];
  return compile(env, kindOf(all), all);
}

/** Compiles the specification of `$addFields`. */
export function compileAddFields(spec: Doc, env: QueryEnv): (doc: Doc) => Doc {
  return compile(env, 'addition', [...leaves(spec, true)]);
}
