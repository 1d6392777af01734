import { hookDecorator, type OfRoot } from '../providers/hooks/hook.metadata.js';

/**
 * Calls the method, with the connection and the database's name, before one of these databases disconnects, and awaits it, up
 * to `shutdownTimeoutMS`; without names, any.
 * @param names of databases, and `{ root }`: those of a named root
 * @throws InvalidDatabaseNameError
 */
export const OnDbDisconnect = (...names: (string | OfRoot)[]): MethodDecorator => hookDecorator('disconnect', names);
