import { hookDecorator } from '../providers/hooks/hook.metadata.js';

/** Calls the method, with the error and `{ db, during }`, when something failed that no caller hears of. */
export const OnDbError = (...names: string[]): MethodDecorator => hookDecorator({ moment: 'error', names });
