import type { Aggregate } from 'mongoose';
import { cursorIn } from './model.cursor.js';
import type { Scoped } from './model.scope.js';

/** Has a model's aggregate begin as its model does, in the scope that it was made in, whichever way it is executed. */
export function aggregateIn(
  scoped: Scoped | undefined,
  aggregate: Aggregate<unknown[]>,
  start: <T>(fn: () => Promise<T>) => Promise<T>,
): Aggregate<unknown[]> {
  const begun =
    <A extends unknown[], T>(execute: (...args: A) => Promise<T>) =>
    (...args: A): Promise<T> => {
      const begin = () => start(() => execute.apply(aggregate, args));
      return scoped ? scoped(begin) : begin();
    };
  const { exec, explain, cursor } = aggregate;
  return Object.assign(aggregate, {
    exec: begun(exec),
    explain: begun(explain),
    cursor: (options?: Parameters<typeof cursor>[0]) => cursorIn(scoped, () => cursor.call(aggregate, options)),
  });
}
