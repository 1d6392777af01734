import type { Doc } from '../bson/value.js';
import { CommandError } from '../errors.js';
import type { QueryEnv } from './env.js';
import { compileFilter, type MatchDetails } from './filter.js';
import { addedFields } from './projection/added-fields.js';
import { projector } from './projection/apply.js';
import { ProjectionParser } from './projection/parser.js';

/** Gives the projected document; `details` of the query's match serve the positional `$`. */
export type Projection = (doc: Doc, details?: MatchDetails) => Doc;

const NO_MATCH: MatchDetails = { index: -1 };

/**
 * Compiles the projection of a find or findAndModify.
 *
 * @param filter the query, for the positional `$`: where a call brings no details of the match they are found anew
 * @throws CommandError 31253 or 31254 for a mix of kept and dropped fields, and others, as MongoDB does
 * @see https://www.mongodb.com/docs/v7.0/reference/method/db.collection.find/#projection
 */
export function compileProjection(spec: Doc, env: QueryEnv, filter?: Doc): Projection {
  if (spec.size === 0) return (doc) => doc;
  const { type, root, isPositional } = new ProjectionParser(env, 'find').parse(spec);
  const project = projector(root, type);
  const matches = isPositional && filter ? compileFilter(filter, env) : undefined;
  return (doc, details) => {
    const match: MatchDetails = details ?? { index: -1 };
    if (!details && matches) matches(doc, match);
    return project(doc, match);
  };
}

/** Compiles the specification of `$project`. @throws CommandError as `compileProjection` */
export function compileProject(spec: Doc, env: QueryEnv): (doc: Doc) => Doc {
  if (spec.size === 0) throw new CommandError(51272, 'projection specification must have at least one field');
  const { type, root } = new ProjectionParser(env, 'aggregation').parse(spec);
  const project = projector(root, type);
  return (doc) => project(doc, NO_MATCH);
}

/** Compiles the specification of `$addFields`. */
export function compileAddFields(spec: Doc, env: QueryEnv): (doc: Doc) => Doc {
  const project = projector(addedFields(spec, env), 'addition');
  return (doc) => project(doc, NO_MATCH);
}
