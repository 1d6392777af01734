import { Controller, Inject, Injectable, UseFilters, UseGuards, type INestApplication } from '@nestjs/common';
import {
  Ctx,
  EventPattern,
  MessagePattern,
  Payload,
  RmqContext,
  type MicroserviceOptions,
} from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import {
  fromHeader,
  fromPayload,
  InjectTenantModel,
  PolyMongoTenants,
  TenantContext,
  TenantExceptionFilter,
  TenantGuard,
  type TenantModel,
} from 'nestjs-polymongo';
import { Note, notesModules } from './notes.js';
import { mulberry32 } from './random.js';

/** A message that says whose it is, beside where its tenant is carried. */
export interface Parcel {
  of: string;
  n: number;
}

export const SENDERS = ['acme', 'globex', 'initech', 'umbrella', 'hooli'];
export const parcels = (count: number): Parcel[] =>
  Array.from({ length: count }, (_, n) => ({ n, of: SENDERS[n % SENDERS.length]! }));

const random = mulberry32(7);

/** The same in an order drawn by chance. */
export const shuffled = <T>(list: readonly T[]): T[] =>
  list
    .map((value) => [random(), value] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, value]) => value);

/** What was delivered, and what of it to another tenant than it is of. */
@Injectable()
export class Deliveries {
  readonly crossings: string[] = [];
  readonly #times = new Map<number, number>();
  #waiting: { count: number; done: () => void } | undefined;

  constructor(
    @InjectTenantModel(Note.name) readonly notes: TenantModel<Note>,
    @Inject(TenantContext) readonly context: TenantContext,
    @Inject(PolyMongoTenants) readonly tenants: PolyMongoTenants,
  ) {}

  /** Writes a note as the current tenant, and overtakes others that do. */
  async take({ of, n }: Parcel): Promise<string> {
    for (let turns = Math.floor(random() * 20); turns > 0; turns--) await new Promise(setImmediate);
    const tenant = this.context.require();
    if (tenant !== of) this.crossings.push(`${n} of ${of} was delivered to ${tenant}`);
    await this.notes.create({ tenant, text: of });
    return tenant;
  }

  /** A delivery of this parcel has ended. @returns how many there were before */
  tally({ n }: Parcel): number {
    const before = this.#times.get(n) ?? 0;
    this.#times.set(n, before + 1);
    if (this.#waiting && this.total >= this.#waiting.count) this.#waiting.done();
    return before;
  }

  get total(): number {
    return [...this.#times.values()].reduce((sum, times) => sum + times, 0);
  }

  /** Resolves when so many deliveries have ended. */
  async until(count: number): Promise<void> {
    if (this.total < count) await new Promise<void>((done) => (this.#waiting = { count, done }));
  }

  /** How many notes there are of all tenants, and how many of them lie with another one. */
  async count(): Promise<{ notes: number; crossed: number }> {
    const of = async (tenant: string) => [
      await this.notes.countDocuments(),
      await this.notes.countDocuments({ $nor: [{ tenant, text: tenant }] }),
    ];
    const counts = await Promise.all(SENDERS.map((tenant) => this.tenants.run(tenant, () => of(tenant))));
    return {
      notes: counts.reduce((sum, [all]) => sum + all!, 0),
      crossed: counts.reduce((sum, [, wrong]) => sum + wrong!, 0),
    };
  }
}

@Controller()
@UseGuards(TenantGuard)
@UseFilters(TenantExceptionFilter)
class DeliveriesController {
  constructor(@Inject(Deliveries) readonly deliveries: Deliveries) {}

  @MessagePattern('ask')
  ask(@Payload() parcel: Parcel) {
    return this.deliveries.take(parcel);
  }

  @EventPattern('tell')
  async tell(@Payload() parcel: Parcel, @Ctx() context: unknown) {
    await this.deliveries.take(parcel);
    const before = this.deliveries.tally(parcel);
    if (context instanceof RmqContext) settle(context, before > 0);
  }
}

/** RabbitMQ sends what was not acknowledged once more. */
function settle(context: RmqContext, isDone: boolean): void {
  const channel = context.getChannelRef() as { ack(m: unknown): void; nack(m: unknown): void };
  if (isDone) channel.ack(context.getMessage());
  else channel.nack(context.getMessage());
}

/** An application that is sent parcels by a broker, to as many consumers as there are services. */
export async function startDeliveries(
  mongoURI: string,
  services: readonly MicroserviceOptions[],
): Promise<{ app: INestApplication; deliveries: Deliveries }> {
  const module = await Test.createTestingModule({
    imports: notesModules(mongoURI, { resolve: [fromHeader('x-tenant-id'), fromPayload('meta.tenant')] }),
    controllers: [DeliveriesController],
    providers: [Deliveries],
  }).compile();
  const app = module.createNestApplication({ logger: ['fatal'] });
  for (const service of services) app.connectMicroservice<MicroserviceOptions>(service);
  await app.startAllMicroservices();
  return { app, deliveries: app.get(Deliveries) };
}
