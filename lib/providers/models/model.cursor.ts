import type { Scoped } from './model.scope.js';

interface ClosableCursor {
  close(): Promise<unknown>;
}

/** What asks a mongoose cursor for documents: loops and callers, `eachAsync`, and streams. */
const READS = ['next', 'eachAsync', '_read'] as const;
type ReadableCursor = Record<(typeof READS)[number], (...args: unknown[]) => unknown>;

/**
 * Closes a mongoose cursor when a `for await` over it is left early. mongoose leaves it open, on the server too; here
 * it would keep its pool for good.
 */
function closeWithLoop<C>(cursor: C): C {
  const leave = async () => {
    await (cursor as ClosableCursor).close();
    return { value: undefined, done: true };
  };
  return Object.assign(cursor as object, { return: leave }) as C;
}

/** Makes a mongoose cursor in a scope and has it read there, hooks and plugins included, whoever reads it. */
export function cursorIn<C>(scoped: Scoped | undefined, make: () => C): C {
  if (!scoped) return closeWithLoop(make());
  const cursor = scoped(make) as C & ReadableCursor;
  for (const read of READS) {
    const native = cursor[read].bind(cursor);
    Object.assign(cursor, { [read]: (...args: unknown[]) => scoped(() => native(...args)) });
  }
  return closeWithLoop(cursor);
}
