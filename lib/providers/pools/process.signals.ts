import type { PolyMongoPools } from './polymongo-pools.provider.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGUSR2'] as const;

/**
 * Without Nest: a signal closes the pools in order, and then takes its course as if nobody had listened. The second
 * signal is not held up. Nothing here ends the process by itself.
 */
export function closeOnSignals(pools: PolyMongoPools): void {
  for (const signal of SIGNALS) {
    const listener = () => {
      void pools.closeAll().finally(() => {
        if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
      });
    };
    process.once(signal, listener);
    pools.onClosed(() => process.removeListener(signal, listener));
  }
}
