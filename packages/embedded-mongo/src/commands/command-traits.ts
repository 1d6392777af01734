import type { ArgumentTable } from './arguments.js';

/** What a database command is, apart from what it does. */
export interface CommandTraits {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** The arguments it knows, itself among them; generic ones such as `lsid` and `comment` need not be named. */
  readonly args: ArgumentTable;
  /** What the errors about its arguments call it, if not by its name. */
  readonly parsedAs?: string;
  /** Unknown arguments are ignored, as by the server's commands without an IDL parser. */
  readonly isLenient?: boolean;
  readonly isAdminOnly?: boolean;
  /** May be run before authentication. */
  readonly isAuthFree?: boolean;
  /** Part of Stable API version 1. */
  readonly isInApiV1?: boolean;
  readonly isAllowedInTransaction?: boolean;
  /** May carry a txnNumber outside a transaction. */
  readonly isRetryableWrite?: boolean;
  readonly isWrite?: boolean;
  /** Accepts a read concern of any level; others take only `local` as default. */
  readonly takesReadConcern?: boolean;
  /** Takes a write concern although it need not write, as `aggregate` does. */
  readonly takesWriteConcern?: boolean;
  /** Runs outside of the session's other operations, such as killSessions. */
  readonly isSessionFree?: boolean;
}
