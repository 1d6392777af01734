import { randomBytes } from 'node:crypto';
import { CommandError } from '../../errors.js';
import { isHeapFull } from '../../query/heap.js';
import { exceeded } from '../../query/memory.js';
import type { ClientCursor } from './client-cursor.js';

/** The open cursors by id. Idle ones are closed by a timer that only runs while there are any. */
export class CursorManager {
  private readonly cursors = new Map<bigint, ClientCursor>();
  private reaper: NodeJS.Timeout | undefined;
  private timedOutCount = 0;

  constructor(private readonly timeoutMS: () => number) {}

  get size(): number {
    return this.cursors.size;
  }

  get timedOut(): number {
    return this.timedOutCount;
  }

  get all(): Iterable<ClientCursor> {
    return this.cursors.values();
  }

  /**
   * Keeps a cursor that has more to give, and all that it holds.
   * @returns its id
   * @throws CommandError ExceededMemoryLimit (146) where there is hardly any memory left for that; it is closed then
   */
  register(cursor: ClientCursor): bigint {
    if (isHeapFull()) {
      cursor.close();
      throw exceeded('an open cursor');
    }
    const id = this.newId();
    this.cursors.set(id, cursor);
    cursor.id = id;
    this.armReaper();
    return id;
  }

  /** @throws CommandError CursorNotFound (43) */
  find(id: bigint): ClientCursor {
    const cursor = this.cursors.get(id);
    if (!cursor) throw new CommandError('CursorNotFound', `cursor id ${id} not found`);
    return cursor;
  }

  has(id: bigint): boolean {
    return this.cursors.has(id);
  }

  /** @returns whether there was such a cursor */
  kill(id: bigint): boolean {
    const cursor = this.cursors.get(id);
    if (!cursor) return false;
    this.cursors.delete(id);
    cursor.close();
    return true;
  }

  killOfSession(session: string): void {
    for (const cursor of [...this.cursors.values()]) if (cursor.origin.session === session) this.kill(cursor.id);
  }

  killOfTransaction(session: string, txnNumber: bigint): void {
    for (const cursor of [...this.cursors.values()]) {
      const { origin } = cursor;
      if (origin.session === session && origin.transaction === txnNumber) this.kill(cursor.id);
    }
  }

  close(): void {
    for (const id of [...this.cursors.keys()]) this.kill(id);
    clearTimeout(this.reaper);
  }

  private newId(): bigint {
    for (;;) {
      const id = randomBytes(8).readBigInt64LE() & 0x7fffffffffffffffn;
      if (id > 0n && !this.cursors.has(id)) return id;
    }
  }

  private armReaper(): void {
    if (this.reaper) return;
    const intervalMS = Math.max(10, Math.min(this.timeoutMS() / 2, 60_000));
    this.reaper = setTimeout(() => {
      this.reaper = undefined;
      this.reap();
      if (this.cursors.size > 0) this.armReaper();
    }, intervalMS).unref();
  }

  /** Cursors of a session live as long as it does; others until they are idle for cursorTimeoutMillis. */
  private reap(): void {
    const idleSince = Date.now() - this.timeoutMS();
    for (const [id, cursor] of this.cursors) {
      if (cursor.hasNoTimeout || cursor.isPinned || cursor.origin.session || cursor.lastUseMS > idleSince) continue;
      this.kill(id);
      this.timedOutCount++;
    }
  }
}
