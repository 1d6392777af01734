import { hookDecorator } from '../providers/hooks/hook.metadata.js';

/**
 * Calls the method, with the error and `{ db, during }`, when something failed on one of these databases that no caller hears
 * of; without names, on any.
 * @throws InvalidDatabaseNameError
 */
export const OnDbError = (...names: string[]): MethodDecorator => hookDecorator({ moment: 'error', names });
