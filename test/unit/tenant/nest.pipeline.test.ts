import { describe, expect, it } from '@jest/globals';
import type { ExternalContextCreator } from '@nestjs/core';
import { PolyMongoError } from '../../../lib/index.js';
import { standAround, type PipelineStages } from '../../../lib/providers/tenant/nest.pipeline.js';

/** As Nest's context creator is, with consumers of its own classes. */
function creatorWith(change: (consumers: Record<string, { prototype: object }>) => void = () => {}) {
  class GuardsConsumer {
    async tryActivate(guards: string[], _args: unknown[], _instance: object, _callback: unknown, _type: string) {
      return guards.length === 0;
    }
  }
  class InterceptorsConsumer {
    async intercept(
      _i: unknown[],
      _args: unknown[],
      _instance: object,
      _c: unknown,
      next: () => unknown,
      _type: string,
    ) {
      return next();
    }
    createContext(args: unknown[], _instance: object, _callback: unknown) {
      return { args, setType() {} };
    }
  }
  change({ GuardsConsumer, InterceptorsConsumer });
  const consumers = { guardsConsumer: new GuardsConsumer(), interceptorsConsumer: new InterceptorsConsumer() };
  return { ...consumers, creator: consumers as unknown as ExternalContextCreator };
}

const stages = (seen: string[], name: string): PipelineStages => ({
  guards: (call, proceed) => (seen.push(`${name} guards of ${call.type}`), proceed()),
  interceptors: (call, interceptors, proceed) => (
    seen.push(`${name} interceptors of ${call.type}`),
    proceed(interceptors)
  ),
});

describe('standing around the stages of Nest', () => {
  it('is there for every consumer of the class, until it is taken away', async () => {
    const { creator, guardsConsumer, interceptorsConsumer } = creatorWith();
    const seen: string[] = [];
    const leave = [standAround(creator, stages(seen, 'a')), standAround(creator, stages(seen, 'b'))];
    const call = async () => [
      await guardsConsumer.tryActivate([], [1], {}, undefined, 'ws'),
      await interceptorsConsumer.intercept([], [1], {}, undefined, () => 'handled', 'ws'),
    ];
    expect(await call()).toEqual([true, 'handled']);
    expect(seen.toSorted()).toEqual([
      'a guards of ws',
      'a interceptors of ws',
      'b guards of ws',
      'b interceptors of ws',
    ]);
    leave[0]!();
    leave[1]!();
    expect(await call()).toEqual([true, 'handled']);
    expect(seen).toHaveLength(4);
  });

  it.each([
    ['InterceptorsConsumer', 'intercept'],
    ['InterceptorsConsumer', 'createContext'],
    ['GuardsConsumer', 'tryActivate'],
  ])('is refused when %s.%s is gone or another', (consumer, method) => {
    for (const value of [undefined, () => {}]) {
      const { creator } = creatorWith((consumers) => Reflect.set(consumers[consumer]!.prototype, method, value));
      expect(() => standAround(creator, stages([], 'a'))).toThrow(PolyMongoError);
      expect(() => standAround(creator, stages([], 'a'))).toThrow(`${method} is not what nestjs-polymongo knows`);
    }
  });
});
