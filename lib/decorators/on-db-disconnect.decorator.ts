import { hookDecorator } from '../providers/hooks/hook.metadata.js';

/** Calls the method, with the connection, before one of these databases disconnects, and awaits it; without names, any. */
export const OnDbDisconnect = (...names: string[]): MethodDecorator => hookDecorator({ moment: 'disconnect', names });
