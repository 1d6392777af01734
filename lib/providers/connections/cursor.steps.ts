import type { mongo } from 'mongoose';

/** The driver's steps that send a cursor's commands; the same in drivers 6 and 7. */
export interface CursorSteps {
  _initialize(session: mongo.ClientSession): Promise<{ response: { id?: mongo.Long } }>;
  getMore(...args: unknown[]): Promise<unknown>;
}

/** Which of a cursor's commands: the first, or one of those that go on. */
export type CursorStep = 'call' | 'next';

/** Has each command of a cursor sent by `send`. */
export function sendCommandsBy(
  cursor: object,
  send: <T>(command: () => Promise<T>, step: CursorStep) => Promise<T>,
): void {
  const steps = cursor as CursorSteps;
  const initialize = steps._initialize.bind(cursor);
  const getMore = steps.getMore.bind(cursor);
  steps._initialize = (session) => send(() => initialize(session), 'call');
  steps.getMore = (...args) => send(() => getMore(...args), 'next');
}
