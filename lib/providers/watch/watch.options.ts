import type { mongo } from 'mongoose';
import { checkOptions, checks, oneOf, type Check, type Checks } from '../../polymongo.checks.js';
import type { Change } from './change.types.js';
import type { ResumeTokenStore } from './resume-token.store.js';

/** What interrupted a change stream that is open again, and how often opening it was tried. */
export interface Reconnect {
  /** How often it was tried to open the stream again, at least 1. */
  attempts: number;
  /** What interrupted it: the driver's error, or the reason why its pool closed. */
  error: unknown;
}

/** How changes are handed to a function that has to be done with one before its resume token is saved. */
export interface ProcessOptions {
  /** Changes handled at the same time. Above 1 they may overtake each other. Default 1. */
  concurrency?: number;
  /** A handler that fails is called again: `attempts` in all (default 1), `delayMS` doubled between them (default 200). */
  retry?: { attempts: number; delayMS?: number };
  /** After the last attempt: `stop` the stream with the handler's error (default), or `skip` the change. */
  onError?: 'stop' | 'skip';
}

/** The options of the driver's change streams that `watch$` takes, as they mean there. */
export type DriverWatchOptions = Pick<
  mongo.ChangeStreamOptions,
  | 'fullDocument'
  | 'fullDocumentBeforeChange'
  | 'showExpandedEvents'
  | 'resumeAfter'
  | 'startAfter'
  | 'startAtOperationTime'
  | 'batchSize'
  | 'maxAwaitTimeMS'
  | 'collation'
  | 'comment'
  | 'readPreference'
>;

/** What a change may be, as `operationType` says it. */
export type OperationType = mongo.ChangeStreamDocument['operationType'];

/** @see https://www.mongodb.com/docs/manual/reference/change-events/ */
const OPERATION_TYPES = Object.keys({
  insert: true,
  update: true,
  replace: true,
  delete: true,
  drop: true,
  rename: true,
  dropDatabase: true,
  invalidate: true,
  create: true,
  createIndexes: true,
  dropIndexes: true,
  modify: true,
  shardCollection: true,
  reshardCollection: true,
  refineCollectionShardKey: true,
} satisfies Record<OperationType, true>);

/** What to watch and how. The driver's options mean what they mean there. */
export interface WatchOptions<T = mongo.Document> extends DriverWatchOptions, ProcessOptions {
  /** Stages after `$changeStream`; keep `_id`, the resume token. */
  pipeline?: mongo.Document[];
  /** Only these: 'insert', 'update', 'replace', 'delete', 'drop', … Default: all; the rarer ones come with `showExpandedEvents`. */
  operationTypes?: readonly OperationType[];
  /** One change stream on the server for all subscribers that watch the same with `share`; each gets changes of its own. Default false. */
  share?: boolean;
  /**
   * How many changes a subscriber whose handler gives back a promise may be behind before the subscription fails with
   * ChangeBufferOverflowError. Default 1000.
   */
  bufferSize?: number;
  /** The stream is open on the server: no write from now on is missed. Called once for each subscriber. */
  onOpen?: () => unknown;
  /** The stream is open again, from where it was interrupted. */
  onReconnect?: (reconnect: Reconnect) => unknown;
  /**
   * Handles changes one at a time, each before the next is fetched; the Observable emits a change when it is handled.
   * With a `tokenStore`, a change whose handler was not done comes again after a restart: at least once.
   */
  process?: (change: Change<T>) => unknown;
  /** Keeps the resume token across restarts of the process. For `process`, async iteration and `@OnChange`. */
  tokenStore?: ResumeTokenStore;
  /** The token's name in the store. Default: what is watched ('db.collection'); `@OnChange`: 'Class.method'. */
  tokenKey?: string;
}

const DRIVER_OPTIONS = [
  'fullDocument',
  'fullDocumentBeforeChange',
  'showExpandedEvents',
  'resumeAfter',
  'startAfter',
  'startAtOperationTime',
  'batchSize',
  'maxAwaitTimeMS',
  'collation',
  'comment',
  'readPreference',
] as const satisfies readonly (keyof DriverWatchOptions)[];

const DRIVERS_OWN: Check = { allowed: 'what the driver takes', accepts: () => true };

const WATCH_CHECKS: Checks<WatchOptions> = {
  ...(Object.fromEntries(DRIVER_OPTIONS.map((name) => [name, DRIVERS_OWN])) as Checks<DriverWatchOptions>),
  pipeline: { ...checks.array, allowed: 'an array of stages' },
  operationTypes: {
    allowed: `an array of ${OPERATION_TYPES.map((name) => `'${name}'`).join(', ')}`,
    accepts: (v) => Array.isArray(v) && v.every((type) => OPERATION_TYPES.includes(type as string)),
  },
  share: checks.boolean,
  bufferSize: checks.positiveInteger,
  concurrency: checks.positiveInteger,
  onOpen: checks.function,
  onReconnect: checks.function,
  process: checks.function,
  onError: oneOf('stop', 'skip'),
  retry: {
    allowed: '{ attempts, delayMS? }, a whole number of at least 1 and ms',
    accepts: (v) => {
      const { attempts, delayMS = 0 } = (v ?? {}) as { attempts?: unknown; delayMS?: unknown };
      return checks.positiveInteger.accepts(attempts) && checks.durationMS.accepts(delayMS);
    },
  },
  tokenStore: {
    allowed: 'a ResumeTokenStore, with load(), save() and delete()',
    accepts: (v) =>
      ['load', 'save', 'delete'].every((name) => typeof (v as Record<string, unknown> | null)?.[name] === 'function'),
  },
  tokenKey: checks.string,
};

/** @throws PolyMongoOptionsError that names the option */
export const checkWatchOptions = (options: WatchOptions): void => checkOptions('watch$.', options, WATCH_CHECKS);

/** The part of the options that goes to the driver. */
export const driverOptionsOf = (options: WatchOptions): mongo.ChangeStreamOptions =>
  Object.fromEntries(
    DRIVER_OPTIONS.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  ) as mongo.ChangeStreamOptions;

/** The stages after `$changeStream`. */
export const pipelineOf = ({ operationTypes, pipeline = [] }: WatchOptions): mongo.Document[] =>
  operationTypes ? [{ $match: { operationType: { $in: [...operationTypes] } } }, ...pipeline] : [...pipeline];
