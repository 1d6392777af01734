import { createHook } from 'node:async_hooks';
import { expect, it } from '@jest/globals';
import { collectPrometheusMetrics } from 'nestjs-polymongo/prometheus';
import { Registry } from 'prom-client';
import { wrapItems } from '../../support/items.js';
import { usePools } from '../../support/pools-fixture.js';

const fixture = usePools();

it('a call makes no more promises than before once nobody measures it any more', async () => {
  const polymongo = fixture.create();
  const items = wrapItems(polymongo).db('acme');
  await items.create({ n: 1 });
  const calls = [
    () => items.findOne({ n: 1 }).lean(),
    () => items.updateOne({ n: 1 }, { n: 1 }),
    () => items.countDocuments(),
  ];
  const promisesOf = async () => {
    let promises = 0;
    const hook = createHook({ init: (_, type) => void (promises += type === 'PROMISE' ? 1 : 0) }).enable();
    for (const call of calls) await call();
    hook.disable();
    return promises;
  };
  await promisesOf();
  const before = await promisesOf();
  const end = await collectPrometheusMetrics(polymongo, { registry: new Registry() });
  expect(await promisesOf()).toBeGreaterThan(before);
  end();
  expect(await promisesOf()).toBe(before);
});
