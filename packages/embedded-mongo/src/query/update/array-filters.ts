import { type Doc, docOf, isDoc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import type { QueryEnv } from '../env.js';
import { compileFilter } from '../filter.js';

/** Whether an array's element satisfies the filter of an identifier. */
export type ElementFilter = (element: Value) => boolean;

/** The first name of each path a filter asks about. */
function* identifiersOf(filter: Doc): Iterable<string> {
  for (const [name, condition] of filter) {
    if (!name.startsWith('$')) yield name.split('.', 1)[0]!;
    else if (Array.isArray(condition)) for (const part of condition) if (isDoc(part)) yield* identifiersOf(part);
  }
}

function identifierOf(filter: Doc): string {
  const names = [...new Set(identifiersOf(filter))];
  const [name, other] = names;
  if (name === undefined) {
    throw new CommandError('FailedToParse', 'Cannot use an expression without a top-level field name in arrayFilters');
  }
  if (other !== undefined) {
    throw new CommandError(
      'FailedToParse',
      `Error parsing array filter :: caused by :: Expected a single top-level field name, found '${name}' and '${other}'`,
    );
  }
  if (!/^[a-z][a-zA-Z0-9]*$/.test(name)) {
    throw new CommandError(
      'BadValue',
      `Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '${name}'`,
    );
  }
  return name;
}

/**
 * Compiles the `arrayFilters` of an update, by identifier.
 * @throws CommandError FailedToParse (9) or BadValue (2) for filters that are not of one identifier each
 */
export function compileArrayFilters(filters: readonly Doc[], env: QueryEnv): Map<string, ElementFilter> {
  const compiled = new Map<string, ElementFilter>();
  for (const filter of filters) {
    const identifier = identifierOf(filter);
    if (compiled.has(identifier)) {
      throw new CommandError(
        'FailedToParse',
        `Found multiple array filters with the same top-level field name ${identifier}`,
      );
    }
    const matches = compileFilter(filter, env);
    compiled.set(identifier, (element) => matches(docOf([identifier, element])));
  }
  return compiled;
}
