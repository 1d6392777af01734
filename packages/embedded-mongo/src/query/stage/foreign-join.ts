import { unpaused } from '../../bson/pause.js';
import { BSONRegExp } from 'bson';
import { visitPath } from '../../bson/path.js';
import { docOf, type Doc, type Value } from '../../bson/value.js';
import type { Namespace } from '../env.js';
import { compileFilter } from '../filter.js';
import { valueKey } from '../value-key.js';
import type { StageContext } from './stage.js';
import { checkInterrupt } from '../../bson/work.js';

/**
 * Finds the documents of another collection by the values of a field: by way of its index, or, where it has none, of a
 * table made from one scan.
 */
export class ForeignJoin {
  private table: Map<string, Place[]> | undefined;
  private readonly path: readonly string[];

  constructor(
    private readonly context: StageContext,
    private readonly namespace: Namespace,
    private readonly field: string,
    private readonly restriction?: Doc,
  ) {
    this.path = field.split('.');
  }

  /** The documents in which the field, or an element of it, equals one of the values; null also finds a missing one. */
  find(values: readonly Value[]): Iterable<Doc> {
    const { host } = this.context;
    return host.isIndexed(this.namespace, this.field) ? this.read(values) : this.lookUp(values);
  }

  private read(values: readonly Value[]): Iterable<Doc> {
    const { host, env } = this.context;
    const equality = equalities(this.field, values);
    const filter = this.restriction ? docOf(['$and', [this.restriction, equality]]) : equality;
    return unpaused(host.read(this.namespace, { filter }, env));
  }

  private lookUp(values: readonly Value[]): Iterable<Doc> {
    const { collation } = this.context.env;
    this.table ??= this.scan();
    const [only] = values;
    if (values.length === 1) return (this.table.get(valueKey(only, collation)) ?? []).map(({ doc }) => doc);
    const found = new Set<Place>();
    for (const value of values) {
      for (const place of this.table.get(valueKey(value, collation)) ?? []) found.add(place);
    }
    return [...found].sort((a, b) => a.at - b.at).map(({ doc }) => doc);
  }

  private scan(): Map<string, Place[]> {
    const { host, env } = this.context;
    const table = new Map<string, Place[]>();
    let at = 0;
    const isWanted = this.restriction ? compileFilter(this.restriction, env) : undefined;
    for (const doc of unpaused(host.read(this.namespace, {}, env))) {
      checkInterrupt();
      if (isWanted && !isWanted(doc)) continue;
      const keys = new Set<string>();
      visitPath(doc, this.path, 'elementsAndArray', (value) => {
        keys.add(valueKey(value ?? null, env.collation));
        return false;
      });
      const place = { doc, at: at++ };
      for (const key of keys) {
        const places = table.get(key);
        if (places) places.push(place);
        else table.set(key, [place]);
      }
    }
    return table;
  }
}

/** A document, and where in the collection it was read. */
interface Place {
  readonly doc: Doc;
  readonly at: number;
}

/** A filter for a field to equal one of several values; a regex among them is a value and no pattern. */
function equalities(field: string, values: readonly Value[]): Doc {
  const [only] = values;
  if (values.length === 1) return docOf([field, docOf(['$eq', only as Value])]);
  if (!values.some((value) => value instanceof BSONRegExp)) return docOf([field, docOf(['$in', [...values]])]);
  return docOf(['$or', values.map((value) => docOf([field, docOf(['$eq', value])]))]);
}

/** The values at a path, each element of an array by itself; null when there is none. */
export function joinValues(doc: Doc, path: readonly string[]): Value[] {
  const values: Value[] = [];
  visitPath(doc, path, 'elements', (value) => {
    if (value !== undefined) values.push(value);
    return false;
  });
  return values.length === 0 ? [null] : values;
}
