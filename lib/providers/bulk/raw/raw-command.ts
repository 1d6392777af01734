import type { mongo } from 'mongoose';
import type { Database } from '../../databases/database.js';
import { findDocumentSequence } from '../../native/document-sequence.private.js';
import { RETRYABLE_CODES } from '../../pools/retryable.codes.js';
import { decodeRaw, encodeRaw, splitDocuments } from './raw-document.js';

/** The driver copies a command three times on its way: a batch of 16 MB goes in several. */
export const COMMAND_BYTES = 4 * 1024 * 1024;
const ATTEMPTS = 5;
const FIRST_DELAY_MS = 100;
/** Nothing further can be written, whatever the document. */
const FATAL_CODES: ReadonlySet<unknown> = new Set([13, 18, 50, 14031, ...RETRYABLE_CODES]);

export interface WriteOptions {
  readonly signal?: AbortSignal | undefined;
  /** Documents need not be what the collection's validator asks for. */
  readonly bypassDocumentValidation?: boolean | undefined;
  /** Called before anything is sent; what it throws ends it. */
  readonly guard?: (() => void) | undefined;
}

/** What the server says of one of the things it was sent. */
export interface WriteError {
  readonly index: number;
  readonly code: number;
  readonly errmsg: string;
  readonly keyPattern?: mongo.BSON.Document;
}

/** Why nothing further can be written, if it is so. */
export function fatalErrorOf(errors: readonly WriteError[]): Error | undefined {
  const fatal = errors.find(({ code }) => FATAL_CODES.has(code));
  return fatal && Object.assign(new Error(fatal.errmsg), { code: fatal.code });
}

/** Sends a command whose `kind` are raw BSON documents, which go to the server as they are. */
export async function sendRaw(
  database: Database,
  command: Record<string, unknown>,
  kind: 'documents' | 'updates',
  pieces: readonly Buffer[],
  { bypassDocumentValidation = false, guard }: WriteOptions,
): Promise<{ n: number; errors: readonly WriteError[] }> {
  const bypass = bypassDocumentValidation ? { bypassDocumentValidation } : {};
  const whole = { ...command, ...bypass, [kind]: sequenceOf(kind, pieces) };
  guard?.();
  const reply = await database.run(() => database.send(async () => database.native.command(whole)));
  const concern = reply['writeConcernError'] as { code: number; errmsg: string } | undefined;
  if (concern) throw Object.assign(new Error(concern.errmsg), { code: concern.code });
  return { n: reply['n'] as number, errors: (reply['writeErrors'] as WriteError[] | undefined) ?? [] };
}

function sequenceOf(kind: string, pieces: readonly Buffer[]): object {
  const Sequence = findDocumentSequence();
  if (!Sequence) return pieces.flatMap(splitDocuments).map(decodeExactly);
  const sequence = new Sequence(kind);
  for (const piece of pieces) sequence.push(piece, piece);
  return sequence;
}

function decodeExactly(document: Buffer): mongo.BSON.Document {
  const decoded = decodeRaw(document);
  if (!encodeRaw(decoded).equals(document)) {
    throw new Error(
      'a document cannot be held as a JavaScript object (duplicate or integer-like field names), and this build of the ' +
        'driver takes no raw documents: run outside of a bundle',
    );
  }
  return decoded;
}

/** Makes several attempts where the connection was lost or the server changed its role. @throws the signal's reason */
export async function retried<T>(signal: AbortSignal | undefined, work: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt === ATTEMPTS || !isRetryable(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, FIRST_DELAY_MS * 2 ** (attempt - 1)));
    }
  }
}

/** Not where no server was found: that has been waited for already. */
function isRetryable(error: unknown): boolean {
  const { name, code } = error as { name?: string; code?: unknown };
  return RETRYABLE_CODES.has(code) || /^Mongo(Network|PoolCleared)/.test(name ?? '');
}
