import { Catch } from '@nestjs/common';
import { TenantOutOfStepError } from '../tenant/tenant.errors.js';
import { TenantExceptionFilter } from '../tenant/tenant.exception-filter.js';

/** Tells clients of gateways and microservices, too, that a tenant is not where the code is. */
@Catch(TenantOutOfStepError)
export class MigrationExceptionFilter extends TenantExceptionFilter {}
