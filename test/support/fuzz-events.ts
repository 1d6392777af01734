import { WorkerHost } from '@nestjs/bullmq';
import { Inject, Injectable } from '@nestjs/common';
import {
  CommandBus,
  CommandHandler,
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
import type { Job } from 'bullmq';
import { eachTenant, TenantContext, TenantMessages, WithJobTenant } from 'nestjs-polymongo';
import { delay, map, mergeMap, type Observable } from 'rxjs';
import { FuzzWork, pause, pick, TENANTS } from './fuzz-work.js';
import { SharedResource } from './shared-resource.js';

class Told {
  constructor(
    readonly tenant: string,
    readonly told: string,
  ) {}
}
class Place extends Told {}
class Placed extends Told {}
class Ship extends Told {}
class Ask extends Told {}

@CommandHandler(Place)
class PlaceHandler implements ICommandHandler<Place> {
  constructor(
    @Inject(FuzzWork) readonly work: FuzzWork,
    @Inject(EventBus) readonly events: EventBus,
  ) {}
  async execute({ tenant, told }: Place): Promise<void> {
    await this.work.as(tenant);
    this.events.publish(new Placed(tenant, told));
  }
}
@EventsHandler(Placed)
class PlacedHandler implements IEventHandler<Placed> {
  constructor(@Inject(FuzzWork) readonly work: FuzzWork) {}
  async handle({ tenant, told }: Placed): Promise<void> {
    await this.work.as(tenant);
    this.work.tell(`${told}: event`);
  }
}
@CommandHandler(Ship)
class ShipHandler implements ICommandHandler<Ship> {
  constructor(@Inject(FuzzWork) readonly work: FuzzWork) {}
  async execute({ tenant, told }: Ship): Promise<void> {
    await this.work.as(tenant);
    this.work.tell(`${told}: saga`);
  }
}
@QueryHandler(Ask)
class AskHandler implements IQueryHandler<Ask> {
  constructor(@Inject(FuzzWork) readonly work: FuzzWork) {}
  execute({ tenant }: Ask): Promise<string> {
    return this.work.as(tenant);
  }
}

/** Goes on where a shared resource answers, and later. */
@Injectable()
class FuzzSagas {
  readonly #shared = new SharedResource();
  constructor(@Inject(TenantContext) readonly context: TenantContext) {}
  @Saga()
  placed = (events$: Observable<IEvent>): Observable<ICommand> =>
    events$.pipe(
      ofType(Placed),
      eachTenant(this.context, (own$) =>
        own$.pipe(
          mergeMap((event) => this.#shared.answer().pipe(map(() => event))),
          delay(1),
          map(({ tenant, told }) => new Ship(tenant, told)),
        ),
      ),
    );
}

/** As BullMQ calls it, in whoever's context its worker goes on. */
@Injectable()
class FuzzJobs extends WorkerHost {
  constructor(@Inject(FuzzWork) readonly work: FuzzWork) {
    super();
  }
  @WithJobTenant('meta.tenant')
  async process({ data }: Job<{ of: string }>): Promise<string> {
    await pause();
    return this.work.as(data.of);
  }
}

/** What happens inside of the process, on behalf of a tenant. */
@Injectable()
export class FuzzHappenings {
  #count = 0;
  constructor(
    @Inject(FuzzWork) readonly work: FuzzWork,
    @Inject(TenantMessages) readonly messages: TenantMessages,
    @Inject(CommandBus) readonly commands: CommandBus,
    @Inject(QueryBus) readonly queries: QueryBus,
    @Inject(FuzzJobs) readonly jobs: FuzzJobs,
  ) {}

  async bull(tenant: string): Promise<void> {
    const { context } = this.work;
    const data = context.run(tenant, () => this.messages.inPayload({ of: tenant }, 'meta.tenant'));
    await context.run(pick(TENANTS), () => this.jobs.process({ data } as Job<{ of: string }>));
  }

  /** A command, its event, and the command that a saga makes of that. */
  async command(tenant: string): Promise<void> {
    const told = `command ${this.#count++}`;
    const happens = ['event', 'saga'].map((how) => this.work.until(`${told}: ${how}`));
    const placed = this.work.context.run(tenant, () => this.commands.execute(new Place(tenant, told)));
    await Promise.all([placed, ...happens]);
  }

  async query(tenant: string): Promise<void> {
    await this.work.context.run(tenant, () => this.queries.execute(new Ask(tenant, '')));
  }
}

export const FUZZ_EVENTS = [
  ...[PlaceHandler, PlacedHandler, ShipHandler, AskHandler],
  ...[FuzzSagas, FuzzJobs, FuzzHappenings],
];
