import type { PolyMongoPools } from './polymongo-pools.provider.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGUSR2'] as const;
/** The pools of this process that nobody but the process ends. */
const open = new Set<PolyMongoPools>();

/**
 * Without Nest: a signal closes the pools in order, and then takes its course as if nobody had listened. The second
 * signal is not held up. Nothing here ends the process by itself.
 */
export function closeOnSignals(pools: PolyMongoPools): void {
  if (open.size === 0) for (const signal of SIGNALS) process.once(signal, closeAll);
  open.add(pools);
  pools.onClosed(() => {
    open.delete(pools);
    if (open.size === 0) for (const signal of SIGNALS) process.removeListener(signal, closeAll);
  });
}

function closeAll(signal: NodeJS.Signals): void {
  void Promise.allSettled([...open].map((pools) => pools.closeAll())).then(() => {
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  });
}
