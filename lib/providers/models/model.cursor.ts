interface ClosableCursor {
  close(): Promise<unknown>;
}

/**
 * Closes a mongoose cursor when a `for await` over it is left early. mongoose leaves it open, on the server too; here
 * it would keep its pool for good.
 */
export function closeWithLoop<C>(cursor: C): C {
  const leave = async () => {
    await (cursor as ClosableCursor).close();
    return { value: undefined, done: true };
  };
  return Object.assign(cursor as object, { return: leave }) as C;
}
