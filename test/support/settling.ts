/** Waits for all of these, which must not hang: what each came to, in `timeoutMS`. */
export async function settle<T>(work: readonly Promise<T>[], timeoutMS = 10_000): Promise<PromiseSettledResult<T>[]> {
  let timer: NodeJS.Timeout | undefined;
  const isDone = work.map(() => false);
  const all = Promise.allSettled(work.map((each, i) => each.finally(() => (isDone[i] = true))));
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${isDone.filter((done) => !done).length} calls hang after ${timeoutMS} ms`)),
      timeoutMS,
    );
  });
  try {
    return await Promise.race([all, late]);
  } finally {
    clearTimeout(timer);
  }
}
