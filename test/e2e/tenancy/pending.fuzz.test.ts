import { describe, expect, it } from '@jest/globals';
import {
  Catch,
  Controller,
  Get,
  Module,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_INTERCEPTOR, HttpAdapterHost } from '@nestjs/core';
import { MessagePattern } from '@nestjs/microservices';
import {
  afterGuards,
  PolyMongoModule,
  TenantContext,
  TenantGuard,
  TenantInterceptor,
  TenantPendingError,
  type TenantRequest,
  type TenantResolverOption,
} from 'nestjs-polymongo';
import { map, of, switchMap, tap, type Observable } from 'rxjs';
import request from 'supertest';
import { ADAPTERS, startHttpApp, type AdapterName } from '../../support/http-app.js';
import { Loopback } from '../../support/loopback.transport.js';
import { mulberry32 } from '../../support/random.js';
import { printedSeed } from '../../support/seed.js';
import { SharedResource } from '../../support/shared-resource.js';

const SEED = printedSeed('tenants that are still to be decided');
/** Applications on each adapter. */
const APPLICATIONS = Number(process.env.POLYMONGO_STEPS ?? 12);
const CALLS = 12;

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

describe.each(Object.keys(ADAPTERS) as AdapterName[])(`a tenant that is still to be decided, on %s`, (adapter) => {
  const random = mulberry32(SEED);
  const below = (n: number) => Math.floor(random() * n);
  const shuffled = <T>(all: readonly T[]): T[] =>
    all
      .map((one) => [random(), one] as const)
      .sort(([a], [b]) => a - b)
      .map(([, one]) => one);
  const some = <T>(all: readonly T[]): T[] => shuffled(all).slice(0, below(all.length + 1));

  const shared = new SharedResource();
  let context: TenantContext;
  let seen: Record<'guards' | 'then' | 'filter', Set<string>>;
  const wrong: string[] = [];

  /** Pending, `current()` and `require()` throw; decided or none, they say what `state` says, which never throws. */
  const probe = (stage: keyof typeof seen): void => {
    const { state } = context;
    seen[stage].add(state);
    const current = caught(() => context.current());
    const required = caught(() => context.require());
    const isRight =
      state === 'pending'
        ? current instanceof TenantPendingError && required instanceof TenantPendingError
        : state === 'none'
          ? current === undefined && required instanceof Error
          : current === state && required === state;
    if (!isRight) wrong.push(`${stage}: ${state}, ${String(current)}, ${String(required)}`);
  };
  const caught = (fn: () => unknown): unknown => {
    try {
      return fn();
    } catch (error) {
      return error;
    }
  };
  const detour = (): Observable<void> => (below(3) === 0 ? of(undefined) : shared.answer());

  const guard: CanActivate = {
    canActivate: () => {
      probe('guards');
      return detour().pipe(map(() => true));
    },
  };
  const interceptor: NestInterceptor = {
    intercept: (_, next) => {
      probe('then');
      return detour().pipe(
        switchMap(() => next.handle()),
        tap(() => probe('then')),
      );
    },
  };
  @Catch()
  class Probing implements ExceptionFilter {
    constructor(readonly started: { adapter?: HttpAdapterHost['httpAdapter'] }) {}
    catch(error: Error, host: ArgumentsHost) {
      probe('filter');
      if (host.getType() === 'rpc') return of('refused');
      return this.started.adapter!.reply(host.getArgByIndex(1), error.name, 403);
    }
  }

  it('throws for who asks for it, whatever the order of guards, interceptors and resolvers, and says that it is', async () => {
    for (let number = 0; number < APPLICATIONS; number++) {
      const kinds = some(KINDS);
      const all = newResolvers();
      const trust = all.trusted;
      const interceptors = Array.from({ length: 3 }, () => Array.from({ length: below(3) }, () => interceptor));
      /** Where `TenantInterceptor` is: on the class, the method, the application or nowhere. */
      const place = below(4);
      const withAsking = (list: NestInterceptor[], at: number) =>
        shuffled<NestInterceptor | typeof TenantInterceptor>(place === at ? [...list, TenantInterceptor] : list);
      const isAsking = place < 3;
      const guards = Array.from({ length: 3 }, () => Array.from({ length: below(3) }, () => guard));
      /** Whether there is a `TenantGuard` on the class, and how many guards there come before it. */
      const isGuarding = below(2) === 0;
      const before = below(guards[0]!.length + 1);
      const ofClass: (CanActivate | typeof TenantGuard)[] = guards[0]!.toSpliced(
        before,
        0,
        ...(isGuarding ? [TenantGuard as never] : []),
      );
      const started: { adapter?: HttpAdapterHost['httpAdapter'] } = {};

      @Controller()
      @UseGuards(...ofClass)
      @UseInterceptors(...withAsking(interceptors[0]!, 0))
      @UseFilters(new Probing(started))
      class Probed {
        @Get('probe')
        @MessagePattern('probe')
        @UseGuards(...guards[1]!)
        @UseInterceptors(...withAsking(interceptors[1]!, 1))
        handle(): string {
          probe('then');
          return 'handled';
        }
      }
      @Module({
        imports: [
          PolyMongoModule.forRoot({
            mongoURI: 'mongodb://127.0.0.1:1', // nothing is sent
            tenant: { resolve: kinds.map((kind) => all[kind]), ...(kinds.includes('trusted') && { trust }) },
          }),
        ],
        controllers: [Probed],
        providers: place === 2 ? [{ provide: APP_INTERCEPTOR, useClass: TenantInterceptor }] : [],
      })
      class Root {}

      const loopback = new Loopback();
      const app = await startHttpApp({ imports: [Root] }, adapter, (created) => {
        created.useGlobalGuards(...guards[2]!);
        created.useGlobalInterceptors(...interceptors[2]!);
        created.connectMicroservice({ strategy: loopback }, { inheritAppConfig: true });
      });
      context = app.get(TenantContext);
      started.adapter = app.get(HttpAdapterHost).httpAdapter;
      for (let call = 0; call < CALLS; call++) {
        const said: Said = {};
        for (const kind of KINDS) if (below(2) === 0) said[kind] = ['acme', 'acme', 'globex'][below(3)]!;
        const isMessage = below(2) === 0;
        seen = { guards: new Set(), then: new Set(), filter: new Set() };
        const headers = Object.fromEntries(Object.entries(said).map(([kind, tenant]) => [`x-${kind}`, tenant]));
        const answer = isMessage
          ? await context.run('initech', () => loopback.ask('probe', said))
          : (await request(app.getHttpServer()).get('/probe').set(headers)).text;
        const { guards: inGuards, then } =
          isMessage && !isAsking && !isGuarding ? { guards: 'none', then: 'none' } : expected(kinds, said, isMessage);
        const isRefused = then === 'refused';
        const label = { kinds, said, isMessage, place, isGuarding, before };
        const earlier = isGuarding ? guards[2]!.length + before : guards.flat().length;
        const inEach = [
          ...(earlier > 0 && inGuards !== 'refused' ? [inGuards] : []),
          ...(guards.flat().length > earlier && !isRefused ? [then] : []),
        ];
        expect({ ...label, seen: [...seen.guards] }).toEqual({ ...label, seen: [...new Set(inEach)] });
        expect({ ...label, then: [...seen.then] }).toEqual({ ...label, then: isRefused ? [] : [then] });
        expect({ ...label, answer }).toEqual({
          ...label,
          answer: isRefused ? (expect.anything() as unknown) : 'handled',
        });
        expect({ ...label, wrong }).toEqual({ ...label, wrong: [] });
      }
      await app.close();
    }
  }, 120_000);
});
