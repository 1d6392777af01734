import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Inject, Injectable, type INestApplicationContext } from '@nestjs/common';
import {
  CommandHandler,
  CqrsModule,
  EventBus,
  ofType,
  Saga,
  type ICommand,
  type ICommandHandler,
  type IEvent,
} from '@nestjs/cqrs';
import { Test } from '@nestjs/testing';
import { eachTenant, PolyMongoModule, TenantContext } from 'nestjs-polymongo';
import { bufferCount, concatMap, debounceTime, delay, map, merge, Subject, take, type Observable } from 'rxjs';
import { deferred } from '../../support/deferred.js';

class Happened {
  constructor(
    readonly how: string,
    readonly of: string,
  ) {}
}
class Do extends Happened {}

@CommandHandler(Do)
class DoHandler implements ICommandHandler<Do> {
  readonly seen: string[] = [];
  #waiting: { count: number; done: () => void } | undefined;
  constructor(@Inject(TenantContext) readonly context: TenantContext) {}
  async execute({ how, of }: Do) {
    await new Promise(setImmediate);
    this.seen.push(`${how} of ${of}: ${this.context.state}`);
    if (this.#waiting && this.seen.length >= this.#waiting.count) this.#waiting.done();
  }
  async until(count: number) {
    if (this.seen.length < count) await new Promise<void>((done) => (this.#waiting = { count, done }));
    return this.seen.splice(0).toSorted();
  }
}

/** What everybody shares, and emits in the context of whoever pushes it. */
const foreign$ = new Subject<string>();
const gates: Record<string, ReturnType<typeof deferred>> = {};

@Injectable()
class Sagas {
  constructor(@Inject(TenantContext) readonly context: TenantContext) {}

  readonly #saga =
    (how: string, wait: (own$: Observable<Happened>) => Observable<Happened>) =>
    (events$: Observable<IEvent>): Observable<ICommand> =>
      events$.pipe(
        ofType(Happened),
        eachTenant(this.context, (own$) =>
          wait(own$.pipe(concatMap((event) => (event.how === how ? [event] : [])))).pipe(
            map(({ of }) => new Do(how, of)),
          ),
        ),
      );

  @Saga()
  delayed = this.#saga('delay', (own$) => own$.pipe(delay(1)));
  @Saga()
  debounced = this.#saga('debounce', (own$) => own$.pipe(debounceTime(5)));
  @Saga()
  counted = this.#saga('count', (own$) =>
    own$.pipe(
      bufferCount(2),
      map(([, last]) => last!),
    ),
  );
  @Saga()
  queued = this.#saga('queue', (own$) =>
    own$.pipe(
      concatMap(async (event) => {
        await gates[event.of]?.promise;
        return event;
      }),
    ),
  );
  @Saga()
  merged = this.#saga('merge', (own$) =>
    own$.pipe(concatMap((event) => merge(foreign$.pipe(take(1))).pipe(map(() => event)))),
  );
}

const TENANTS = ['acme', 'globex'];

describe('the tenant of a command of a saga that waits, with eachTenant()', () => {
  let app: INestApplicationContext;
  let context: TenantContext;
  let handler: DoHandler;

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      imports: [
        PolyMongoModule.forRoot({ mongoURI: 'mongodb://127.0.0.1:1' }), // nothing is sent
        CqrsModule.forRoot(),
      ],
      providers: [DoHandler, Sagas],
    }).compile();
    app = await module.init();
    context = app.get(TenantContext);
    handler = app.get(DoHandler);
  });
  beforeEach(() => void handler.seen.splice(0));
  afterAll(() => app?.close());

  const happens = (how: string, of: string) => context.run(of, () => app.get(EventBus).publish(new Happened(how, of)));
  const ofEach = (how: string) => TENANTS.map((of) => `${how} of ${of}: ${of}`);

  it("is the event's after a delay", async () => {
    for (const tenant of TENANTS) happens('delay', tenant);
    expect(await handler.until(2)).toEqual(ofEach('delay'));
  });

  it("is the event's where the last one of many counts, of each tenant by itself", async () => {
    for (const tenant of [...TENANTS, ...TENANTS.toReversed(), ...TENANTS]) happens('debounce', tenant);
    expect(await handler.until(2)).toEqual(ofEach('debounce'));
  });

  it('is that of all events which are counted together', async () => {
    for (const tenant of [...TENANTS, ...TENANTS]) happens('count', tenant);
    expect(await handler.until(2)).toEqual(ofEach('count'));
  });

  it("is the event's where events wait for those before them, and none waits for another tenant's", async () => {
    const gate = (gates['acme'] = deferred());
    for (const tenant of ['acme', 'acme', 'globex']) happens('queue', tenant);
    expect(await handler.until(1)).toEqual(['queue of globex: globex']);
    context.run('initech', gate.resolve);
    expect(await handler.until(2)).toEqual(['queue of acme: acme', 'queue of acme: acme']);
  });

  it("is the event's where it waits for what is emitted as another tenant", async () => {
    for (const tenant of TENANTS) happens('merge', tenant);
    context.run('initech', () => foreign$.next('now'));
    expect(await handler.until(2)).toEqual(ofEach('merge'));
  });

  it('is none where the event had none', async () => {
    app.get(EventBus).publish(new Happened('delay', 'nobody'));
    expect(await handler.until(1)).toEqual(['delay of nobody: none']);
  });
});
