import { isDoc, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { boundOnly, constant, type CompileContext, type Expression, type Operand } from './operator.js';
import { assertReadable } from './variable.js';

/** Splits a dotted path. @throws CommandError when MongoDB takes it for no field path */
export function parseFieldPath(path: string): string[] {
  if (path === '') throw new CommandError(40352, 'FieldPath cannot be constructed with empty string');
  if (path.endsWith('.')) throw new CommandError(40353, "FieldPath must not end with a '.'.");
  const fields = path.split('.');
  if (fields.length > 200) throw new CommandError('Overflow', 'FieldPath is too long');
  for (const field of fields) assertFieldName(field);
  return fields;
}

/** @throws CommandError when a name cannot be that of a computed field */
export function assertFieldName(field: string): void {
  if (field === '') throw new CommandError(15998, 'FieldPath field names may not be empty strings.');
  if (field.startsWith('$') && !['$id', '$ref', '$db'].includes(field)) {
    throw new CommandError(
      16410,
      `FieldPath field names may not start with '$'. Consider using $getField or $setField.`,
    );
  }
  if (field.includes('\0')) throw new CommandError(16411, 'FieldPath field names may not contain null bytes.');
  if (field.includes('.')) {
    throw new CommandError(16412, `FieldPath field names may not contain '.'. Consider using $getField or $setField.`);
  }
}

/** The value at a path as expressions see it: arrays are mapped over, and a number never picks an element. */
function valueAt(value: Operand, fields: readonly string[], from = 0): Operand {
  if (from === fields.length) return value;
  if (isDoc(value)) return valueAt(value.get(fields[from] as string), fields, from + 1);
  if (!Array.isArray(value)) return undefined;
  const found: Value[] = [];
  for (const item of value) {
    if (!isDoc(item)) continue;
    const nested = valueAt(item, fields, from);
    if (nested !== undefined) found.push(nested);
  }
  return found;
}

/** Compiles `$path`, `$$variable` or `$$variable.path`. */
export function compileFieldPath(raw: string, context: CompileContext): Expression {
  if (raw === '$') throw new CommandError(16872, "'$' by itself is not a valid FieldPath");
  if (!raw.startsWith('$$')) {
    const fields = parseFieldPath(raw.slice(1));
    return path(variable('CURRENT', context), fields);
  }
  const [name = '', ...rest] = raw.slice(2).split('.');
  assertReadable(name);
  const value = variable(name, context);
  return rest.length === 0 ? value : path(value, parseFieldPath(rest.join('.')));
}

function path(value: Expression, fields: readonly string[]): Expression {
  const [only] = fields;
  if (value === ROOT && fields.length === 1) return (scope) => scope.root.get(only as string);
  if (value.isConstant) return constant(valueAt(value({ root: EMPTY, slots: [] }), fields));
  const read: Expression = (scope) => valueAt(value(scope), fields);
  return value.isBound ? boundOnly(read) : read;
}

const EMPTY: Doc = new Map();
const ROOT: Expression = (scope) => scope.root;

/** Names every expression may read, with their values; `CURRENT` is `ROOT` until an expression binds it. */
function variable(name: string, context: CompileContext): Expression {
  const slot = context.slotOf(name);
  if (slot !== undefined) return (scope) => scope.slots[slot];
  const { env } = context;
  switch (name) {
    case 'ROOT':
    case 'CURRENT':
      return ROOT;
    case 'REMOVE':
      return constant(undefined);
    case 'NOW':
      return constant(env.now);
    case 'CLUSTER_TIME':
      return constant(env.clusterTime);
    case 'USER_ROLES':
      return constant([]);
    case 'SEARCH_META':
      return constant(undefined);
  }
  const { variables } = env;
  if (!variables?.has(name)) throw new CommandError(17276, `Use of undefined variable: ${name}`);
  // Read anew each time: $lookup gives its variables other values for each document.
  return boundOnly(() => variables.get(name));
}
