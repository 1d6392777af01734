import type { Doc } from '../bson/value.js';
import { isDoc } from '../bson/value.js';
import type { CommandTraits } from './command-traits.js';
import type { ClientConnection } from './request.js';
import type { Interruptible } from './interrupt.js';
import type { ScramConversation } from './auth/scram.js';

/** What the server knows of one connection's client. */
export class Client {
  /** The `client` document of its first hello. */
  metadata: Doc | undefined;
  authenticatedAs: { readonly user: string; readonly db: string } | undefined;
  conversation: ScramConversation | undefined;
  /** Until its first command it only shakes hands. A monitor never has one. */
  hasRunCommand = false;
  lastHandshakeMS: number | undefined;
  /** The operation it is waiting for. */
  operation: Interruptible | undefined;

  constructor(readonly connection: ClientConnection) {}

  /** Notes a command that it sent. */
  note({ isAuthFree }: CommandTraits): void {
    if (this.hasRunCommand) return;
    if (isAuthFree) this.lastHandshakeMS = Date.now();
    else this.hasRunCommand = true;
  }

  /** Whose sessions and cursors its are; everybody's are nobody's in particular while no one has to be anyone. */
  get owner(): string {
    return this.authenticatedAs ? `${this.authenticatedAs.user}@${this.authenticatedAs.db}` : '';
  }

  get appName(): string | undefined {
    return this.metadata && appNameIn(this.metadata);
  }
}

/** The application's name in the `client` document of a hello. */
export function appNameIn(metadata: Doc): string | undefined {
  const application = metadata.get('application');
  const name = isDoc(application) ? application.get('name') : undefined;
  return typeof name === 'string' ? name : undefined;
}
