import { describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { usePools } from '../../support/pools-fixture.js';
import { waitFor } from '../../support/wait-for.js';

const fixture = usePools();
const STREAMS = 12;

/** The change streams that the server keeps. */
async function cursors(): Promise<number> {
  const operations = (await fixture.probe.operations()) as {
    cursor?: { originatingCommand?: { pipeline?: object[] } };
    command?: { pipeline?: object[] };
  }[];
  const pipelines = operations.map(({ cursor, command }) => (cursor?.originatingCommand ?? command)?.pipeline);
  return pipelines.filter((pipeline) => pipeline?.[0] && '$changeStream' in pipeline[0]).length;
}

describe('more change streams than sockets', () => {
  it('leave no cursor on the server when they are closed, those that were still waiting for a socket neither', async () => {
    const polymongo = fixture.create({ maxPoolSize: 2, waitQueueTimeoutMS: 60_000 });
    const schema = new mongoose.Schema({ n: Number });
    const model = polymongo.wrapModel(polymongo.models.define({ name: 'Item', schema }));
    const streams = Array.from({ length: STREAMS }, () => model.watch().on('change', () => {}));
    await waitFor(async () => (await cursors()) >= 2);
    await Promise.all(streams.map((stream) => stream.close()));
    await polymongo.pools.database(polymongo.options.defaultDB).run(async () => {}); // the pool is still open
    for (let calm = 0; calm < 5;) calm = (await cursors()) === 0 ? calm + 1 : 0;
    expect(polymongo.pools.primary.state).toBe('connected');
  });
});
