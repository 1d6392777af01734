import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Inject, Injectable, type INestApplicationContext } from '@nestjs/common';
import {
  CommandBus,
  CommandHandler,
  CqrsModule,
  EventBus,
  EventsHandler,
  ofType,
  QueryBus,
  QueryHandler,
  Saga,
  type ICommand,
  type ICommandHandler,
  type IEvent,
  type IEventHandler,
  type IQueryHandler,
} from '@nestjs/cqrs';
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import { Test } from '@nestjs/testing';
import { PolyMongoModule, TenantContext } from 'nestjs-polymongo';
import { delay, map, type Observable } from 'rxjs';

/** What ran as which tenant, and who waits for how many of them. */
@Injectable()
class Trace {
  seen: string[] = [];
  #waiting: { count: number; done: () => void } | undefined;
  constructor(@Inject(TenantContext) readonly context: TenantContext) {}
  async note(where: string, named: string): Promise<string> {
    await new Promise((resolve) => setImmediate(resolve));
    this.seen.push(`${where} of ${named}: ${this.context.state}`);
    if (this.#waiting && this.seen.length >= this.#waiting.count) this.#waiting.done();
    return this.context.state;
  }
  async until(count: number): Promise<void> {
    if (this.seen.length < count) await new Promise<void>((done) => (this.#waiting = { count, done }));
  }
}

class Order {
  constructor(readonly tenant: string) {}
}
class Made extends Order {}
class Place extends Order {}
class Ship extends Order {}
class Ask extends Order {}

@EventsHandler(Made)
class MadeHandler implements IEventHandler<Made> {
  constructor(@Inject(Trace) readonly trace: Trace) {}
  handle({ tenant }: Made) {
    return this.trace.note('event', tenant);
  }
}
@CommandHandler(Place)
class PlaceHandler implements ICommandHandler<Place> {
  constructor(
    @Inject(Trace) readonly trace: Trace,
    @Inject(EventBus) readonly events: EventBus,
  ) {}
  async execute({ tenant }: Place) {
    const state = await this.trace.note('command', tenant);
    this.events.publish(new Made(tenant));
    return state;
  }
}
@CommandHandler(Ship)
class ShipHandler implements ICommandHandler<Ship> {
  constructor(@Inject(Trace) readonly trace: Trace) {}
  execute({ tenant }: Ship) {
    return this.trace.note('command of a saga', tenant);
  }
}
@QueryHandler(Ask)
class AskHandler implements IQueryHandler<Ask> {
  constructor(@Inject(Trace) readonly trace: Trace) {}
  execute({ tenant }: Ask) {
    return this.trace.note('query', tenant);
  }
}

@Injectable()
class Sagas {
  @Saga()
  made = (events$: Observable<IEvent>): Observable<ICommand> =>
    events$.pipe(
      ofType(Made),
      delay(1),
      map(({ tenant }) => new Ship(tenant)),
    );
}

@Injectable()
class Listeners {
  constructor(@Inject(Trace) readonly trace: Trace) {}
  @OnEvent('order.made')
  one({ tenant }: Made) {
    return this.trace.note('listener', tenant);
  }
  @OnEvent('order.*', { async: true })
  another({ tenant }: Made) {
    return this.trace.note('asynchronous listener', tenant);
  }
}

const TENANTS = ['acme', 'globex'];

describe('the tenant of events inside of the process', () => {
  let app: INestApplicationContext;
  let context: TenantContext;
  let trace: Trace;

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      imports: [
        PolyMongoModule.forRoot({ mongoURI: 'mongodb://127.0.0.1:1' }), // nothing is sent
        EventEmitterModule.forRoot({ wildcard: true }),
        CqrsModule.forRoot(),
      ],
      providers: [Trace, MadeHandler, PlaceHandler, ShipHandler, AskHandler, Sagas, Listeners],
    }).compile();
    app = await module.init();
    context = app.get(TenantContext);
    trace = app.get(Trace);
  });
  beforeEach(() => void (trace.seen = []));
  afterAll(() => app?.close());
  const ofEach = (...where: string[]) => TENANTS.flatMap((of) => where.map((each) => `${each} of ${of}: ${of}`));

  it("is the emitter's in each listener of @nestjs/event-emitter, also in asynchronous ones", async () => {
    for (const tenant of TENANTS)
      context.run(tenant, () => app.get(EventEmitter2).emit('order.made', new Made(tenant)));
    await trace.until(4);
    expect(trace.seen.toSorted()).toEqual(ofEach('asynchronous listener', 'listener').toSorted());
  });

  it('is none in a listener of what is emitted in none', async () => {
    app.get(EventEmitter2).emit('order.made', new Made('nobody'));
    await trace.until(2);
    expect(trace.seen.every((seen) => seen.endsWith(': none'))).toBe(true);
  });

  it('is that of who dispatched in the commands, queries, events and sagas of @nestjs/cqrs', async () => {
    const states = await Promise.all(
      TENANTS.map((tenant) => context.run(tenant, () => app.get(CommandBus).execute<Place, string>(new Place(tenant)))),
    );
    expect(states).toEqual(TENANTS);
    for (const tenant of TENANTS) {
      expect(await context.run(tenant, () => app.get(QueryBus).execute<Ask, string>(new Ask(tenant)))).toBe(tenant);
    }
    await trace.until(8);
    expect(trace.seen.toSorted()).toEqual(ofEach('command', 'command of a saga', 'event', 'query').toSorted());
  });
});
