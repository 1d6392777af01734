import mongoose from 'mongoose';
import type { PolyMongoEventMap } from '../../polymongo.events.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import type { LogSink } from './log.sink.js';
import { slowOperations } from './slow.operations.js';

/** Writes down what happens in the pools. */
export class PolyMongoLog {
  readonly #connectingSince = new Map<string, number>();

  constructor(
    pools: PolyMongoPools,
    readonly sink: LogSink,
  ) {
    const { events } = pools;
    events.on('poolState', (event) => this.#onPoolState(event));
    events.on('connectDelayed', (event) => sink.write('warn', delayText(event), {}));
    events.on('connected', ({ db }) =>
      sink.write('info', 'database connected', { database: db, pool: pools.poolOf(db).name }),
    );
    events.on('disconnecting', ({ db, reason }) =>
      sink.write('info', 'database disconnecting', { database: db, reason }),
    );
    events.on('released', ({ db }) => sink.write('debug', 'database let go', { database: db }));
    events.on('refused', ({ error }) => sink.write('debug', textOf(error), {}));
    events.on('error', ({ db, error, during }) =>
      sink.write('error', textOf(error), { database: db || undefined, during }),
    );
    const { slowOperationMS } = pools.options;
    if (slowOperationMS !== undefined) pools.onOperation(slowOperations(slowOperationMS, sink));
    pools.onClosed(() => sink.close());
  }

  #onPoolState({ pool, from, to, reason }: PolyMongoEventMap['poolState']): void {
    const since = this.#connectingSince.get(pool);
    if (to === 'connecting') this.#connectingSince.set(pool, Date.now());
    else this.#connectingSince.delete(pool);
    const durationMS = from === 'connecting' && since !== undefined ? Date.now() - since : undefined;
    this.sink.write(reason === 'connect failed' ? 'warn' : 'info', `pool ${to}`, {
      pool,
      from,
      to,
      reason,
      durationMS,
    });
  }
}

const delayText = ({ pool, uri, reason }: PolyMongoEventMap['connectDelayed']): string =>
  `Pool ${pool} waits for a MongoDB at ${uri}: ${reason ?? 'no answer yet'}. Its calls wait as well. Start one ` +
  '(for development: npx embedded-mongo --port 27017), or check mongoURI. ' +
  'With coldStart: false the application does not start without one.';

/** What an error says, without what it quotes of a document. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof mongoose.Error.ValidationError) return `${error.name}: ${Object.keys(error.errors).join(', ')}`;
  if (error instanceof mongoose.Error.CastError) return `${error.name}: ${error.path}`;
  return `${error.name}: ${error.message.replace(/dup key: \{.*\}/s, 'dup key: { … }')}`;
}
