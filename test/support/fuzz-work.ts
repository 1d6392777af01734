import { Inject, Injectable } from '@nestjs/common';
import { InjectTenantModel, PolyMongoTenants, TenantContext, WithTenant, type TenantModel } from 'nestjs-polymongo';
import { interval, lastValueFrom, map, mergeMap, take, toArray } from 'rxjs';
import { Note } from './notes.js';
import { mulberry32 } from './random.js';
import { printedSeed } from './seed.js';

const UNCOMMITTED = 'not committed';
export const TENANTS = Array.from({ length: 50 }, (_, i) => `t${i}`);
/** What the fuzz does; POLYMONGO_SEED does it again, as far as the order in which answers come allows. */
export const SEED = printedSeed('isolation of tenants');
const next = mulberry32(SEED);
export const random = (below: number): number => Math.floor(next() * below);
export const pick = <T>(from: readonly T[]): T => from[random(from.length)]!;
export const pause = (belowMS = 4) => new Promise<void>((resolve) => setTimeout(resolve, random(belowMS)));

/** What every way in ends in: it writes and reads as the current tenant, and tells what it finds of another one. */
@Injectable()
export class FuzzWork {
  /** Everything that was found where another tenant's should have been. */
  readonly crossings: string[] = [];
  /** The ids of the notes that were written, by tenant. */
  readonly written = new Map<string, unknown[]>();

  constructor(
    @InjectTenantModel(Note.name) readonly notes: TenantModel<Note>,
    @Inject(TenantContext) readonly context: TenantContext,
    @Inject(PolyMongoTenants) readonly tenants: PolyMongoTenants,
  ) {}

  /** @param expected which tenant a stage has to run as; `none` and `pending` as in `TenantContext.state` */
  saw(stage: string, expected: string): void {
    const { state } = this.context;
    if (state !== expected) this.crossings.push(`${stage} of ${expected} ran as ${state}`);
  }

  /** As a request whose tenant only the context knows. */
  asCurrent(): Promise<string> {
    return this.as(this.context.require());
  }

  /** @param tenant who the current one has to be */
  async as(tenant: string): Promise<string> {
    await pause();
    if (this.context.current() !== tenant) this.crossings.push(`${tenant} ran as ${this.context.current()}`);
    const { _id } = await this.notes.create({ tenant: this.context.require() });
    this.written.set(tenant, [...(this.written.get(tenant) ?? []), _id]);
    const wrong = await this.notes.findOne({ tenant: { $ne: tenant } }).lean();
    if (wrong) this.crossings.push(`${tenant} found a document of ${wrong.tenant}`);
    if (await this.notes.exists({ text: UNCOMMITTED })) this.crossings.push(`${tenant} found what is not committed`);
    return tenant;
  }

  /** In a transaction that will fail. */
  async writeInVain(): Promise<void> {
    await this.notes.create({ tenant: this.context.require(), text: UNCOMMITTED });
    await pause();
  }

  /** How many notes of the current tenant are gone, or are there without having been committed. */
  async countLost(): Promise<number> {
    const written = this.written.get(this.context.require()) ?? [];
    const [found, uncommitted] = await Promise.all([
      this.notes.countDocuments({ _id: { $in: written } }),
      this.notes.countDocuments({ text: UNCOMMITTED }),
    ]);
    return written.length - found + uncommitted;
  }

  @WithTenant((tenant: string) => tenant)
  async job(tenant: string): Promise<void> {
    await this.as(tenant);
  }

  async nested(tenant: string): Promise<void> {
    const other = pick(TENANTS);
    await this.tenants.run(tenant, async () => {
      await Promise.all([this.tenants.run(other, () => this.as(other)), this.as(tenant)]);
      await this.as(tenant);
    });
  }

  async timer(tenant: string): Promise<void> {
    await this.tenants.run(
      tenant,
      () => new Promise((resolve, reject) => setTimeout(() => void this.as(tenant).then(resolve, reject), random(5))),
    );
  }

  async generator(tenant: string): Promise<void> {
    const work = () => this.as(tenant);
    const steps = this.context.run(tenant, async function* () {
      yield await work();
      yield await work();
    });
    await this.context.run(pick(TENANTS), async () => {
      for await (const seen of steps) if (seen !== tenant) this.crossings.push(`${tenant} was given ${seen}`);
    });
  }

  async stream(tenant: string): Promise<void> {
    const seen = this.context.run(tenant, () =>
      interval(1).pipe(
        take(2),
        mergeMap(() => this.as(tenant)),
        map(() => this.context.current()),
        toArray(),
      ),
    );
    for (const current of await this.context.run(pick(TENANTS), () => lastValueFrom(seen))) {
      if (current !== tenant) this.crossings.push(`${tenant} streamed as ${current}`);
    }
  }

  async cursor(tenant: string): Promise<void> {
    await this.tenants.run(tenant, async () => {
      await this.as(tenant);
      for await (const note of this.notes.find().limit(5).cursor()) {
        if (note.tenant !== tenant) this.crossings.push(`${tenant} read ${note.tenant}`);
      }
    });
  }
}
