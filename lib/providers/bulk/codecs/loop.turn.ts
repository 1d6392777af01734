const HELD_MS = 20;

/** Lets the event loop turn where work that waits for nothing has held it: signals, timers and sockets wait for that. */
export class LoopTurn {
  private sinceMS = performance.now();

  get isDue(): boolean {
    return performance.now() - this.sinceMS > HELD_MS;
  }

  async take(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.sinceMS = performance.now();
  }
}
