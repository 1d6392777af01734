import type { Doc } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { Session } from './session.js';

/** `logicalSessionTimeoutMinutes` of hello. */
export const SESSION_TIMEOUT_MINUTES = 30;
const SESSION_TIMEOUT_MS = SESSION_TIMEOUT_MINUTES * 60_000;
const MAX_SESSIONS = 1_000_000;

/**
 * The logical sessions, by the hex of their UUID and whose they are; unused ones are dropped when others are made. They outlive a restart,
 * as the record of retryable writes and commits does that MongoDB keeps in `config.transactions`.
 */
export class SessionCatalog {
  private readonly sessions = new Map<string, Session>();
  private nextSweepMS = Date.now() + SESSION_TIMEOUT_MS;

  /** Called for each session that ends or is killed, for its cursors. */
  onEnd: (session: Session) => void = () => {};

  get all(): Iterable<Session> {
    return this.sessions.values();
  }

  get size(): number {
    return this.sessions.size;
  }

  find(key: string): Session | undefined {
    return this.sessions.get(key);
  }

  findOrCreate(key: string, lsid: Doc, owner: string): Session {
    let session = this.sessions.get(key);
    if (!session) {
      this.sweep();
      if (this.sessions.size >= MAX_SESSIONS) throw new CommandError(261, 'cannot add session into the cache');
      session = new Session(key, lsid, owner);
      this.sessions.set(key, session);
    }
    return session;
  }

  /** Kills what the session is doing and forgets it. */
  end(key: string, reason: CommandError): void {
    const session = this.sessions.get(key);
    if (!session) return;
    this.kill(session, reason);
    this.sessions.delete(key);
  }

  /** Ends the session's operation, transaction and cursors; it may be used again. */
  kill(session: Session, reason: CommandError): void {
    session.kill(reason);
    this.onEnd(session);
  }

  private sweep(): void {
    const now = Date.now();
    if (now < this.nextSweepMS) return;
    this.nextSweepMS = now + SESSION_TIMEOUT_MS / 2;
    for (const [key, session] of this.sessions) {
      if (now - session.lastUseMS > SESSION_TIMEOUT_MS) {
        this.end(key, new CommandError('Interrupted', 'session expired'));
      }
    }
  }
}
