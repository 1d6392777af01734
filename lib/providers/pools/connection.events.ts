import type { PoolState } from '../../polymongo.types.js';
import type { DatabaseConnection } from './database.connection.js';

/** What mongoose's connections emit when they come into a state. */
const EVENTS: Readonly<Record<PoolState, readonly string[]>> = {
  cold: [],
  connecting: ['connecting'],
  connected: ['connected', 'open'],
  draining: ['disconnecting'],
  closed: ['disconnected', 'close'],
};

/** Has a connection emit what mongoose's own would, as the pool that serves it goes from state to state. */
export function emitConnectionEvents(connection: DatabaseConnection, from: PoolState, to: PoolState): void {
  if (connection.eventNames().length === 0 || (from === 'draining' && to === 'connected')) return; // it never left
  for (const event of EVENTS[to]) connection.emit(event);
}
