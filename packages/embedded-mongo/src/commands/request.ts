/** One request: a command's body, and the document sequences sent beside it. */
export interface RequestMessage {
  readonly requestId: number;
  readonly isLegacy: boolean;
  /** The client wants no answer (`moreToCome`). */
  readonly isUnacknowledged: boolean;
  readonly isExhaustAllowed: boolean;
  readonly body: Uint8Array;
  readonly sequences: ReadonlyMap<string, Uint8Array[]>;
  /** Only OP_QUERY names its database outside the body. */
  readonly legacyDatabase?: string;
}

/** What commands know of the socket that a client is on. */
export interface ClientConnection {
  readonly id: number;
  readonly openedAt: Date;
  /** `address:port` */
  readonly remoteAddress: string;
}

/** The answer to one request. */
export interface Reply {
  /** The reply document as BSON. */
  readonly body: Uint8Array;
  /** Set on a reply of an exhaust stream that goes on: makes the next one without a request. */
  readonly next?: () => Reply | undefined | Promise<Reply | undefined>;
}

/** What answers requests, for the wire that they come by. */
export interface RequestHandler {
  /** Answers, or gives `undefined` to close the connection without an answer. */
  handle(request: RequestMessage, connection: ClientConnection): Reply | undefined | Promise<Reply | undefined>;
  /** How many bytes a message of this client may have. */
  maxMessageLength(connection: ClientConnection): number;
  connected(connection: ClientConnection): void;
  disconnected(connection: ClientConnection): void;
}
