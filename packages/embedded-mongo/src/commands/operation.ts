import type { Doc } from '../bson/value.js';
import type { RequestMessage } from './request.js';
import type { Snapshot } from '../storage/snapshot.js';
import type { WriteUnit } from '../storage/write-unit.js';
import type { ClientCursor } from './cursor/client-cursor.js';
import type { CommandFault } from './fail-point/fail-point.js';
import type { Client } from './client.js';
import type { CommandTraits } from './command-traits.js';
import type { GenericArguments } from './generic-arguments.js';
import { Interrupt, type Interruptible } from './interrupt.js';
import type { RunningOperation } from './running-operation.js';
import type { Session } from './session/session.js';
import type { MongoServer } from './server.js';
import { interruptible } from '../bson/work.js';

/** One running command: what it was asked, by whom, and what may interrupt it. */
export class Operation implements RunningOperation {
  /** `$$NOW`: one instant for the whole command. */
  readonly now = new Date();
  readonly interrupt = new Interrupt();
  session: Session | undefined;
  /** `db.coll`, for currentOp and `failCommand`'s namespace. */
  readonly namespace: string;
  /** Set by commands that open or read a change stream, whose errors get labels of their own. */
  isChangeStream = false;
  /** The cursor a getMore reads. */
  cursor: ClientCursor | undefined;
  /** What `failCommand` does to it. */
  fault: CommandFault | undefined;
  /** A fail point closes the connection instead of answering. */
  isAnswerLost = false;
  /** Set by a command that is run again and again, each time for one reply of an exhaust stream. */
  isRepeated = false;

  constructor(
    readonly id: number,
    readonly server: MongoServer,
    readonly client: Client,
    readonly command: CommandTraits,
    /** The name it was called by, perhaps an alias. */
    readonly commandName: string,
    readonly db: string,
    readonly args: Doc,
    readonly generic: GenericArguments,
    readonly request: RequestMessage,
    /** The documents of an insert, still BSON. */
    readonly documents: Uint8Array[] | undefined,
  ) {
    const target = args.get(commandName);
    this.namespace = typeof target === 'string' ? `${db}.${target}` : `${db}.$cmd`;
    if (command.name !== 'getMore') this.interrupt.setMaxTime(generic.maxTimeMS); // there it is the time to await data
  }

  get isInTransaction(): boolean {
    return this.generic.autocommit === false;
  }

  /** The unit of the transaction it belongs to. */
  get transactionUnit(): WriteUnit | undefined {
    return this.isInTransaction ? this.session?.transaction.requireInProgress() : undefined;
  }

  /** The point in time it reads at. */
  snapshot: Snapshot | undefined;
  /** A cursor that it left open goes on reading at its point in time. */
  hasOpenCursor = false;
  /** For what outlives the operation, as a cursor does: the getMore that reads it now. */
  successor: Interruptible | undefined;

  /** Lets go of its point in time, unless its cursor still needs it. */
  releaseSnapshot(): void {
    if (!this.hasOpenCursor) this.snapshot?.release();
  }

  timeLeft = (): number => (this.successor ?? this).interrupt.leftMS;

  /** Runs a synchronous part of it, which ends by an error once it has to end. */
  compute<T>(work: () => T): T {
    return interruptible(() => this.interrupt.check(), work);
  }
}
