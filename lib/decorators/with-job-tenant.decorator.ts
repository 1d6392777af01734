import { pathOf } from '../providers/tenant/message.path.js';
import { TenantJobs, type TenantJob } from '../providers/tenant/tenant.jobs.js';
import { injectedMethod } from './injected.method.js';

/**
 * Runs `process` of a `WorkerHost` of @nestjs/bullmq as the tenant that stands at a path of the job's data, where
 * `TenantMessages.inPayload` and `inFlow` put it: see `TenantJobs.run`, also for its errors.
 * @throws PolyMongoOptionsError when the path names no field
 * @example
 * @Processor('mail')
 * class Mail extends WorkerHost {
 *   @WithJobTenant('meta.tenant')
 *   process(job: Job) { … }
 * }
 */
export function WithJobTenant(
  path: string,
): <J extends TenantJob, R extends unknown[], V>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<(job: J, ...rest: R) => V>,
) => void {
  pathOf(path);
  return injectedMethod('WithJobTenant', TenantJobs, (jobs, [job]: [TenantJob], proceed) =>
    jobs.run(job, path, proceed),
  );
}
