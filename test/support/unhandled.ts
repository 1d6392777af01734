/** What rejects during `work` without anybody handling it; outside of a test each would end the process. */
export async function unhandledDuring(work: () => Promise<unknown>): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', note);
  try {
    await work();
    await new Promise((resolve) => setImmediate(resolve)); // Node tells of them after the microtasks
    return unhandled;
  } finally {
    process.off('unhandledRejection', note);
  }
}
