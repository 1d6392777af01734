import { hookDecorator } from '../providers/hooks/hook.metadata.js';

/**
 * Calls the method, with the connection and the database's name, after one of these databases has become usable; without
 * names, any.
 * @throws InvalidDatabaseNameError
 */
export const OnDbConnect = (...names: string[]): MethodDecorator => hookDecorator({ moment: 'connect', names });
