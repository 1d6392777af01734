import { describe, expect, it } from '@jest/globals';
import { afterGuards, type TenantRequest, type TenantResolverOption } from 'nestjs-polymongo';
import { ADAPTERS, type AdapterName } from '../../support/http-app.js';
import { NEST } from '../../support/nest-version.js';
import { newPlan, startPendingApp, WAYS } from '../../support/pending-app.js';
import { PendingStages } from '../../support/pending-stages.js';
import { mulberry32 } from '../../support/random.js';
import { printedSeed } from '../../support/seed.js';

const SEED = printedSeed('tenants that are still to be decided');
/** Applications on each adapter. */
const APPLICATIONS = Number(process.env.POLYMONGO_STEPS ?? 12);
const CALLS = 20;

/** What a request may say, by which resolver reads it. */
const KINDS = ['named', 'trusted', 'claim', 'later'] as const;
type Kind = (typeof KINDS)[number];
type Said = Partial<Record<Kind, string>>;

const read = ({ headers, data }: TenantRequest, kind: Kind): string | undefined =>
  (data as Said | undefined)?.[kind] ?? (headers[`x-${kind}`] as string | undefined);

class Later {
  static readonly runsAfterGuards = true;
  async resolve(asked: TenantRequest) {
    await new Promise((resolve) => setImmediate(resolve));
    return read(asked, 'later');
  }
}

const newResolvers = (): Record<Kind, TenantResolverOption> => ({
  named: (asked) => read(asked, 'named'),
  trusted: async (asked) => read(asked, 'trusted'),
  claim: afterGuards((asked) => read(asked, 'claim')),
  later: Later,
});

/** Which tenant the guards see, and what comes after them: a tenant, none, or a refusal. */
function expected(kinds: readonly Kind[], said: Said, isMessage: boolean): { guards: string; then: string } {
  const says = (...of: Kind[]) =>
    new Set(of.filter((kind) => kinds.includes(kind)).flatMap((kind) => said[kind] ?? []));
  const hasAfter = kinds.includes('claim') || kinds.includes('later');
  const decides = hasAfter ? says('trusted') : says('trusted', 'named');
  const after = says('claim', 'later');
  const [first] = decides;
  const guards = isMessage ? 'pending' : (first ?? (hasAfter ? 'pending' : 'none'));
  const compared = says('trusted', 'named');
  if (compared.size > 1 || after.size > 1)
    return { guards: compared.size > 1 && !isMessage ? 'refused' : guards, then: 'refused' };
  if (after.size === 0) return { guards, then: first ?? 'none' };
  return { guards, then: new Set([...compared, ...after]).size > 1 ? 'refused' : [...after][0]! };
}

describe.each(Object.keys(ADAPTERS) as AdapterName[])('a tenant that is still to be decided, on %s', (adapter) => {
  const random = mulberry32(SEED);
  const below = (n: number) => Math.floor(random() * n);
  const stages = new PendingStages(below);
  const some = <T>(all: readonly T[]): T[] =>
    all
      .map((one) => [random(), one] as const)
      .sort(([a], [b]) => a - b)
      .slice(0, below(all.length + 1))
      .map(([, one]) => one);

  it('throws for who asks for it, whatever the order of guards, interceptors and resolvers, and says that it is', async () => {
    for (let number = 0; number < APPLICATIONS; number++) {
      const kinds = some(KINDS);
      const all = newResolvers();
      const trust = all.trusted;
      const plan = newPlan(stages);
      const { place, isGuarding, before } = plan;
      const resolve = kinds.map((kind) => all[kind]);
      const app = await startPendingApp(plan, stages, adapter, {
        resolve,
        ...(kinds.includes('trusted') && { trust }),
      });
      for (let call = 0; call < CALLS; call++) {
        const said: Said = {};
        for (const kind of KINDS) if (below(2) === 0) said[kind] = ['acme', 'acme', 'globex'][below(3)]!;
        const way = WAYS[below(WAYS.length)]!;
        const isMessage = way !== 'http' && way !== 'graphql';
        // Before Nest 12 gateways have no stages of the application.
        const places = way === 'ws' && NEST < 12 ? 2 : 3;
        const guards = plan.guards.slice(0, places);
        const isAsking = place < places;
        stages.begin();
        const answer = await app.ask(way, said);
        const { guards: inGuards, then } =
          isMessage && !isAsking && !isGuarding ? { guards: 'none', then: 'none' } : expected(kinds, said, isMessage);
        const isRefused = then === 'refused';
        const isRefusedOnArrival = inGuards === 'refused';
        const label = { kinds, said, way, place, isGuarding, before };
        const earlier = isGuarding ? (guards[2]?.length ?? 0) + before : guards.flat().length;
        const inEach = [
          ...(earlier > 0 && !isRefusedOnArrival ? [inGuards] : []),
          ...(guards.flat().length > earlier && !isRefused ? [then] : []),
        ];
        expect({ ...label, answer, ...seenBy(stages), wrong: stages.wrong }).toEqual({
          ...label,
          answer: isRefused ? 'refused' : 'handled',
          guards: [...new Set(inEach)],
          then: isRefused ? [] : [then],
          filter: isRefused && !isRefusedOnArrival ? [inGuards] : [],
          wrong: [],
        });
      }
      await app.close();
    }
  }, 120_000);
});

const seenBy = ({ seen }: PendingStages) =>
  Object.fromEntries(Object.entries(seen).map(([stage, states]) => [stage, [...states]]));
