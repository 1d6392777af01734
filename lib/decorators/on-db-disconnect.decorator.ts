import { hookDecorator } from '../providers/hooks/hook.metadata.js';

/**
 * Calls the method, with the connection and the database's name, before one of these databases disconnects, and awaits it, up
 * to `shutdownTimeoutMS`; without names, any.
 * @throws InvalidDatabaseNameError
 */
export const OnDbDisconnect = (...names: string[]): MethodDecorator => hookDecorator({ moment: 'disconnect', names });
