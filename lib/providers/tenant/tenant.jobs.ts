import { currentWork, inWork } from '../sessions/current.work.js';
import { pathOf, valueAt } from './message.path.js';
import type { PolyMongoTenants } from './polymongo-tenants.provider.js';
import { asNoTenant, type TenantContext } from './tenant.context.js';
import { TenantError, TenantMissingError } from './tenant.errors.js';
import { TenantJobError } from './tenant-work.errors.js';

/** What of a job of BullMQ is looked at. */
export interface TenantJob {
  /** The job's id, for the error that it may fail with. */
  readonly id?: string | undefined;
  /** The name of its queue, for the error that it may fail with. */
  readonly queueName?: string;
  /** What it was added with; the tenant's id is in it. */
  readonly data: unknown;
}

/** What each job is worked on in: the roots that it has a tenant of share that. Shared by all roots of this process. */
const works = new WeakMap<TenantJob, object>();

/** Runs `fn` as no one, unless the job is being worked on already, as a tenant of another root. */
function inJob<T>(job: TenantJob, fn: () => T): T {
  const around = currentWork();
  if (around && works.get(job) === around) return fn();
  const work = {};
  works.set(job, work);
  return asNoTenant(() => inWork(work, fn));
}

/** Runs jobs as the tenants that they carry in their data. What made the job, or began its worker, has no part in it. */
export class TenantJobs {
  /** @internal Made by Nest. */
  constructor(
    /** @internal */ readonly tenants: PolyMongoTenants,
    /** @internal */ readonly context: TenantContext,
  ) {}

  /**
   * Runs a job, in no one's context, as the tenant at a path of its data, once it is certain that the tenant exists.
   * Each attempt of a job and each job of a scheduler is asked about anew.
   * @param path as of `fromPayload` and `TenantMessages.inPayload`
   * @throws TenantJobError, which BullMQ does not try again, when the job has no tenant, a malformed one or one that is gone
   * @throws TenantOutOfStepError, TenantLookupError, which it tries again; what `work` throws
   */
  async run<T>(job: TenantJob, path: string, work: () => T): Promise<Awaited<T>> {
    const tenantId = valueAt(job.data, pathOf(path));
    let hasBegun = false;
    const begin = () => {
      hasBegun = true;
      return work();
    };
    try {
      if (tenantId === undefined) throw new TenantMissingError(messageWithout(path));
      return await inJob(job, () => this.tenants.run(tenantId as string, begin));
    } catch (error) {
      if (hasBegun || !isFinal(error)) throw error;
      throw new TenantJobError(job.id, job.queueName, error);
    }
  }
}

/** A later attempt would be refused, too. */
const isFinal = (error: unknown): error is TenantError => error instanceof TenantError && error.statusCode < 500;

const messageWithout = (path: string) =>
  `No tenant: this job has none at ${path} of its data. Add it with messages.inPayload(data, '${path}'), a flow with ` +
  `messages.inFlow(flow, '${path}'), and keep it when the job's data are updated.`;
