import { pathOf } from '../providers/tenant/message.path.js';
import { TenantJobs, type TenantJob } from '../providers/tenant/tenant.jobs.js';
import { injectedMethod } from './injected.method.js';

/**
 * Runs `process` of a `WorkerHost` of @nestjs/bullmq as the tenant that stands at a path of the job's data, where
 * `TenantMessages.inPayload` and `inFlow` put it: see `TenantJobs.run`, also for its errors.
 * @param root the name of the root whose tenant it is, where that has one
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
  root?: string,
): <J extends TenantJob, R extends unknown[], V>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<(job: J, ...rest: R) => V>,
) => void {
  pathOf(path);
  return injectedMethod('WithJobTenant', TenantJobs, root, (jobs, [job]: [TenantJob], proceed) =>
    jobs.run(job, path, proceed),
  );
}
