import { Inject, Injectable } from '@nestjs/common';
import {
  InjectPolyModel,
  InjectTenantModel,
  PolyMongoTenants,
  TenantContext,
  TenantMissingError,
  WithTenant,
  type PolyModel,
  type TenantModel,
} from 'nestjs-polymongo';
import { interval, lastValueFrom, map, mergeMap, take, toArray } from 'rxjs';
import { Note } from './notes.js';
import { mulberry32 } from './random.js';
import { printedSeed } from './seed.js';

const UNCOMMITTED = 'not committed';
export const TENANTS = Array.from({ length: 50 }, (_, i) => `t${i}`);
/** Who names no tenant; as `TenantContext.state` has it. */
export const NOBODY = 'none';
/** How long to wait for what happens elsewhere, in ms. */
export const ANSWER_MS = 10_000;
/** What the fuzz does; POLYMONGO_SEED does it again, as far as the order in which answers come allows. */
const SEED = printedSeed('isolation of tenants');
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
    @InjectPolyModel(Note.name) readonly ofNobody: PolyModel<Note>,
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
    return this.as(this.context.current() ?? NOBODY);
  }

  /** Nobody is refused where a tenant is needed, and has what is no tenant's. */
  async #asNobody(): Promise<void> {
    this.saw('work', NOBODY);
    const found = await Promise.resolve()
      .then(() => this.notes.findOne().lean())
      .catch((error: unknown) => error);
    if (!(found instanceof TenantMissingError)) this.crossings.push(`nobody was given ${JSON.stringify(found)}`);
    await this.ofNobody.create({ tenant: NOBODY });
    const wrong = await this.ofNobody.findOne({ tenant: { $ne: NOBODY } }).lean();
    if (wrong) this.crossings.push(`nobody found a document of ${wrong.tenant}`);
  }

  /** @param tenant who the current one has to be */
  async as(tenant: string): Promise<string> {
    await pause();
    if (tenant === NOBODY) {
      await this.#asNobody();
      return tenant;
    }
    if (this.context.current() !== tenant) this.crossings.push(`${tenant} ran as ${this.context.current()}`);
    const { _id } = await this.notes.create({ tenant: this.context.require() });
    this.written.set(tenant, [...(this.written.get(tenant) ?? []), _id]);
    const wrong = await this.notes.findOne({ $or: [{ tenant: { $ne: tenant } }, { text: UNCOMMITTED }] }).lean();
    if (wrong) this.crossings.push(`${tenant} found a document of ${wrong.tenant}: ${wrong.text ?? 'no text'}`);
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

  readonly #waiting = new Map<string, () => void>();

  /** Waits until this has been told, whoever does; what is told by nobody fails. */
  until(told: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${told} did not come`)), ANSWER_MS).unref();
      this.#waiting.set(told, () => (clearTimeout(timer), resolve()));
    });
  }

  tell(told: string): void {
    this.#waiting.get(told)?.();
    this.#waiting.delete(told);
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
