import { formatField } from '../../bson/format.js';
import { isNumeric } from '../../bson/number.js';
import { type Doc, isDoc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { QueryEnv } from '../env.js';
import { compileExpression, isOperator } from '../expression.js';
import { parseFieldPath } from '../expression/field-path.js';
import { isTruthy } from '../expression/operand.js';
import type { ProjectionType } from './apply.js';
import { elemMatch, invalidSlice, positional, slice } from './find.operators.js';
import { addNode, type Branch, branch, branchAt, type ProjectionNode } from './node.js';

/** Fields of a DBRef, the only ones of a dollar sign that are no operators. */
const REFERENCE_FIELDS = ['$ref', '$id', '$db'];

/** `$slice`, `$elemMatch` and the positional `$` are a find's alone. */
export type ProjectionDialect = 'find' | 'aggregation';

export interface ParsedProjection {
  readonly type: ProjectionType;
  readonly root: Branch;
  readonly isPositional: boolean;
}

/** Reads the projection of a find or of `$project`, and decides whether it names what is kept or what is dropped. */
export class ProjectionParser {
  private readonly root = branch();
  private type: ProjectionType | undefined;
  private isPositional = false;
  private hasElemMatch = false;
  private hasSlice = false;
  private hasMeta = false;
  private isIdNamed = false;
  private id: ProjectionType | undefined;

  constructor(
    private readonly env: QueryEnv,
    private readonly dialect: ProjectionDialect,
  ) {}

  parse(spec: Doc): ParsedProjection {
    for (const [name, value] of spec) {
      if (name === '_id' || name.startsWith('_id.')) this.isIdNamed = true;
      this.field(this.root, name, value, []);
    }
    const type = this.type ?? this.defaultType();
    if (type === 'inclusion' && !this.isIdNamed) this.root.children.set('_id', { kind: 'include' });
    if (type === 'exclusion' && this.id === 'inclusion') this.root.children.delete('_id');
    return { type, root: this.root, isPositional: this.isPositional };
  }

  /** Without a field that is plainly kept or dropped. */
  private defaultType(): ProjectionType {
    if (this.hasSlice) return this.id === 'inclusion' ? 'inclusion' : 'exclusion';
    if (this.hasElemMatch || (this.hasMeta && this.dialect === 'aggregation')) return 'inclusion';
    return this.id ?? 'exclusion';
  }

  private field(parent: Branch, name: string, value: Value, above: readonly string[]): void {
    const position = this.positionIn(name);
    if (isDoc(value)) {
      if (position !== -1)
        throw new CommandError(31271, 'positional projection cannot be used with an expression or sub object');
      this.subDocument(parent, name, value, above);
    } else if (typeof value === 'boolean' || isNumeric(value)) {
      if (!isTruthy(value)) {
        if (position !== -1) throw new CommandError(31395, 'positional projection cannot be used with exclusion');
        this.exclude(parent, name, above);
      } else if (position === -1) this.include(parent, name, above);
      else this.includePositional(parent, name, position);
    } else {
      if (position !== -1) throw new CommandError(31308, 'positional projection cannot be used with a literal');
      this.expression(parent, name, value, formatField(name, value));
    }
  }

  private positionIn(name: string): number {
    const isAtEnd = name.endsWith('.$');
    if (isAtEnd && this.dialect === 'aggregation') {
      throw new CommandError(31324, 'Cannot use positional projection in aggregation projection');
    }
    if (name.includes('.$.')) {
      throw new CommandError(
        31394,
        "As of 4.4, it's illegal to specify positional operator in the middle of a path.Positional projection may only be used at the end, for example: a.b.$. If the query previously used a form like a.b.$.d, remove the parts following the '$' and the results will be equivalent.",
      );
    }
    return isAtEnd ? name.length - '.$'.length : -1;
  }

  private add(parent: Branch, name: string, node: ProjectionNode): void {
    addNode(parent, parseFieldPath(name), node, name);
  }

  private isId(name: string, above: readonly string[]): boolean {
    return name === '_id' && above.length === 0;
  }

  private include(parent: Branch, name: string, above: readonly string[]): void {
    this.add(parent, name, { kind: 'include' });
    if (this.isId(name, above)) this.id = 'inclusion';
    else this.setInclusion(name);
  }

  private setInclusion(name: string): void {
    if (this.type === 'exclusion') {
      throw new CommandError(31253, `Cannot do inclusion on field ${name} in exclusion projection`);
    }
    this.type = 'inclusion';
  }

  private exclude(parent: Branch, name: string, above: readonly string[]): void {
    this.add(parent, name, { kind: 'exclude' });
    if (this.isId(name, above)) {
      this.id = 'exclusion';
      return;
    }
    if (this.type === 'inclusion') {
      throw new CommandError(31254, `Cannot do exclusion on field ${name} in inclusion projection`);
    }
    this.type = 'exclusion';
  }

  private includePositional(parent: Branch, name: string, position: number): void {
    if (this.isPositional) {
      throw new CommandError(31276, 'Cannot specify more than one positional projection per query.');
    }
    if (this.hasElemMatch) throw new CommandError(31256, 'Cannot specify positional operator and $elemMatch.');
    this.add(parent, name.slice(0, position), { kind: 'transform', transform: positional });
    this.isPositional = true;
    this.setInclusion(name);
  }

  private subDocument(parent: Branch, name: string, spec: Doc, above: readonly string[]): void {
    const [first] = spec.keys();
    if (first === undefined) {
      throw new CommandError(
        51270,
        `An empty sub-projection is not a valid value. Found empty object at path ${[...above, name].join('.')}`,
      );
    }
    if (spec.size === 1 && first.startsWith('$')) return this.operator(parent, name, spec, first, above);
    this.nested(parent, name, spec, above);
  }

  private nested(parent: Branch, name: string, spec: Doc, above: readonly string[]): void {
    const path = parseFieldPath(name);
    const nested = branchAt(parent, path, name);
    for (const [key, value] of spec) this.field(nested, key, value, [...above, ...path]);
  }

  private operator(parent: Branch, name: string, spec: Doc, operator: string, above: readonly string[]): void {
    if (operator === '$slice' && this.dialect === 'find') this.slice(parent, name, spec);
    else if (operator === '$elemMatch' && this.dialect === 'find') this.elemMatch(parent, name, spec, above);
    else if (isOperator(operator)) this.expression(parent, name, spec);
    else if (REFERENCE_FIELDS.includes(operator)) this.nested(parent, name, spec, above);
    else throw new CommandError(31325, `Unknown expression ${operator}`);
  }

  private slice(parent: Branch, name: string, spec: Doc): void {
    const sliced = slice(spec.get('$slice')!);
    if (!(sliced instanceof CommandError)) {
      this.add(parent, name, { kind: 'transform', transform: sliced });
      this.hasSlice = true;
      return;
    }
    try {
      this.expression(parent, name, spec);
    } catch (error) {
      throw invalidSlice(spec, sliced, error as CommandError);
    }
  }

  private elemMatch(parent: Branch, name: string, spec: Doc, above: readonly string[]): void {
    if (this.isPositional) throw new CommandError(31255, 'Cannot specify positional operator and $elemMatch.');
    if (above.length > 0 || name.includes('.')) {
      throw new CommandError(31275, 'Cannot use $elemMatch projection on a nested field.');
    }
    this.add(parent, name, { kind: 'compute', compute: elemMatch(name, spec, this.env) });
    this.hasElemMatch = true;
  }

  /** @param literal how a value that is no operator is shown, should it not be allowed */
  private expression(parent: Branch, name: string, value: Value, literal?: string): void {
    const isMeta = isDoc(value) && value.has('$meta');
    if (this.type === 'exclusion' && !isMeta) {
      throw literal === undefined
        ? new CommandError(31252, 'Cannot use expression other than $meta in exclusion projection')
        : new CommandError(31310, `Cannot use an expression ${literal} in an exclusion projection`);
    }
    if (isMeta) this.hasMeta = true;
    else this.type = 'inclusion';
    this.add(parent, name, { kind: 'compute', compute: compileExpression(value, this.env) });
  }
}
