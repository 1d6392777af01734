import type { Storage } from '../storage/storage.js';
import { CommandError } from '../errors.js';
import type { ClientConnection } from './request.js';
import type { Credentials } from './auth/credentials.js';
import { Client } from './client.js';
import { CursorManager } from './cursor/cursor-manager.js';
import { ServerParameters } from './diagnostics/server-parameters.js';
import type { FailPoint } from './fail-point/fail-point.js';
import type { RunningOperation } from './running-operation.js';
import { Profiler } from './diagnostics/profiler.js';
import { OpCounters } from './diagnostics/op-counters.js';
import type { SessionCatalog } from './session/session-catalog.js';
import type { Topology } from './topology.js';

/** All that the commands share: what one running server knows. */
export class MongoServer {
  readonly startedAt = new Date();
  readonly clients = new Map<ClientConnection, Client>();
  readonly operations = new Map<number, RunningOperation>();
  readonly failPoints = new Map<string, FailPoint>();
  readonly parameters = new ServerParameters();
  readonly cursors = new CursorManager(() => this.parameters.cursorTimeoutMS);
  readonly counters = new OpCounters();
  readonly profiler: Profiler;
  /** What is about to make a collection, by namespace; settled when it runs. */
  readonly pendingCreations = new Map<string, Promise<void>>();
  /** Collections made since somebody last opened a change stream. */
  unwatchedCreations = 0;
  private lastOperationId = 0;

  constructor(
    readonly storage: Storage,
    readonly topology: Topology,
    readonly credentials: Credentials,
    readonly sessions: SessionCatalog,
  ) {
    this.profiler = new Profiler(storage);
    sessions.onEnd = (session) => this.cursors.killOfSession(session.key);
  }

  nextOperationId(): number {
    return ++this.lastOperationId;
  }

  clientOf(connection: ClientConnection): Client {
    let client = this.clients.get(connection);
    if (!client) this.clients.set(connection, (client = new Client(connection)));
    return client;
  }

  /** Ends all that runs or waits; nothing of this server keeps the process alive after it. */
  close(): void {
    const reason = new CommandError('InterruptedAtShutdown', 'interrupted at shutdown');
    for (const op of this.operations.values()) op.interrupt.kill(reason);
    for (const session of this.sessions.all) session.kill(reason);
    this.cursors.close();
  }
}
