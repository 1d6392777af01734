import { hookDecorator, type OfRoot } from '../providers/hooks/hook.metadata.js';

/**
 * Calls the method, with the error and `{ db, during }`, when something failed on one of these databases that no caller hears
 * of; without names, on any.
 * @param names of databases, and `{ root }`: those of a named root
 * @throws InvalidDatabaseNameError
 */
export const OnDbError = (...names: (string | OfRoot)[]): MethodDecorator => hookDecorator('error', names);
