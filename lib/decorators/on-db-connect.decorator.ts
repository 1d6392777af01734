import { hookDecorator, type OfRoot } from '../providers/hooks/hook.metadata.js';

/**
 * Calls the method, with the connection and the database's name, after one of these databases has become usable; without
 * names, any.
 * @param names of databases, and `{ root }`: those of a named root
 * @throws InvalidDatabaseNameError
 */
export const OnDbConnect = (...names: (string | OfRoot)[]): MethodDecorator => hookDecorator('connect', names);
