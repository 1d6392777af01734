import { MAX_MESSAGE_LENGTH } from '../commands/handshake/limits.js';

/** Messages up to this length are received at once: they are no more than one read of a socket. */
const SMALL_LENGTH = 64 * 1024;
/** What the messages may have together that are longer and have not come whole. */
const TOTAL_LENGTH = 8 * MAX_MESSAGE_LENGTH;
/** How long one may stay where it is while others wait. */
const STANDSTILL_MS = 10_000;

/** One connection, as far as it has begun to send a long message. */
export interface Receiver {
  /** When bytes came last, by performance.now(). */
  lastBytesMS: number;
  resume(): void;
  close(): void;
}

/**
 * Bounds the memory of half-received messages, of all connections together: a long one is received when there is room
 * for the whole of it, in the order of their beginnings, so that every message comes to its end. Who sends nothing more
 * of his own while others wait is closed.
 */
export class ReceiveBudget {
  private left: number;
  private readonly granted = new Map<Receiver, number>();
  private readonly waiting = new Map<Receiver, number>();
  private timer: NodeJS.Timeout | undefined;

  constructor(total = TOTAL_LENGTH) {
    this.left = total;
  }

  /** @returns whether it may be received now; otherwise `resume` is called once it may */
  admits(receiver: Receiver, length: number): boolean {
    if (length <= SMALL_LENGTH || this.granted.has(receiver)) return true;
    this.waiting.set(receiver, length);
    this.admitNext();
    if (this.granted.has(receiver)) return true;
    this.timer ??= setInterval(() => this.closeStanding(), STANDSTILL_MS / 4).unref();
    return false;
  }

  /** Its message has come, or it is gone. */
  release(receiver: Receiver): void {
    this.waiting.delete(receiver);
    this.left += this.granted.get(receiver) ?? 0;
    this.granted.delete(receiver);
    this.admitNext();
  }

  private admitNext(): void {
    for (const [receiver, length] of this.waiting) {
      if (length > this.left) return;
      this.left -= length;
      this.waiting.delete(receiver);
      this.granted.set(receiver, length);
      receiver.lastBytesMS = performance.now();
      receiver.resume();
    }
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private closeStanding(): void {
    const since = performance.now() - STANDSTILL_MS;
    for (const receiver of this.granted.keys()) if (receiver.lastBytesMS < since) receiver.close();
  }
}
