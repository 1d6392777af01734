import { Catch, Inject, type ArgumentsHost } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { TenantOutOfStepError } from '../tenant/tenant.errors.js';
import { TenantExceptionFilter } from '../tenant/tenant.exception-filter.js';

/** Answers requests of a tenant that is not where the code is with `Retry-After`; everything else as without it. */
@Catch(TenantOutOfStepError)
export class MigrationExceptionFilter extends TenantExceptionFilter {
  @Inject(HttpAdapterHost) private readonly adapters!: HttpAdapterHost;

  override catch(error: TenantOutOfStepError, host: ArgumentsHost): unknown {
    if (host.getType() === 'http') {
      const { httpAdapter } = this.adapters;
      const response: unknown = host.switchToHttp().getResponse();
      httpAdapter.setHeader(response, 'Retry-After', String(Math.ceil(error.retryAfterMS / 1000)));
    }
    return super.catch(error, host);
  }
}
