import { hookDecorator } from '../providers/hooks/hook.metadata.js';

/** Calls the method, with the connection, after one of these databases has become usable; without names, any. */
export const OnDbConnect = (...names: string[]): MethodDecorator => hookDecorator({ moment: 'connect', names });
