import { type Doc, docOf, int32, type Value } from '../../bson/value.js';
import { type PathStep, type UpdateDescription } from '../../query/update/description.js';

/** What an update changed, in the form the oplog has it: `{ $v: 2, diff }` (mongod: `doc_diff`). */
export function updateDiff(description: UpdateDescription): Doc {
  const { updatedFields, removedFields, truncatedArrays, disambiguatedPaths } = description;
  const root = new DocDiff();
  const stepsOf = (path: string): PathStep[] => {
    const steps = disambiguatedPaths.get(path);
    return Array.isArray(steps)
      ? steps.map((step) => (typeof step === 'string' ? step : Number(step)))
      : path.split('.');
  };
  for (const path of removedFields) root.at(stepsOf(path)).sections.d.set(lastOf(stepsOf(path)), false);
  for (const [path, value] of updatedFields) {
    const steps = stepsOf(path);
    const parent = root.at(steps);
    if (typeof steps.at(-1) === 'number') parent.elements.set(`u${lastOf(steps)}`, value);
    else parent.sections.u.set(lastOf(steps), value);
  }
  for (const truncated of truncatedArrays) {
    const steps = stepsOf(truncated.get('field') as string);
    root.at([...steps, 0]).elements.set('l', truncated.get('newSize')!);
  }
  return docOf(['$v', int32(2)], ['diff', root.toDoc()]);
}

const lastOf = (steps: readonly PathStep[]): string => String(steps.at(-1));

/** The difference of one document or array. */
class DocDiff {
  readonly sections = { d: new Map<string, Value>(), u: new Map<string, Value>() };
  /** Of an array: its new values and its new length. */
  readonly elements = new Map<string, Value>();
  private readonly nested = new Map<string, DocDiff>();

  /** The difference that the last of the steps is noted in. */
  at(steps: readonly PathStep[]): DocDiff {
    const [step, ...rest] = steps;
    if (rest.length === 0) return this;
    const name = `s${step}`;
    let inner = this.nested.get(name);
    if (!inner) this.nested.set(name, (inner = new DocDiff(typeof rest[0] === 'number')));
    return inner.at(rest);
  }

  constructor(private readonly isArray = false) {}

  toDoc(): Doc {
    const doc: Doc = new Map(this.isArray ? [['a', true]] : []);
    for (const [name, fields] of Object.entries(this.sections)) if (fields.size > 0) doc.set(name, fields);
    for (const [name, value] of this.elements) doc.set(name, value);
    for (const [name, inner] of this.nested) doc.set(name, inner.toDoc());
    return doc;
  }
}
