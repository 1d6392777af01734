import { Inject, Scope } from '@nestjs/common';
import { getTenantModelToken } from '../polymongo.tokens.js';

/** How a tenant model is injected. */
export interface InjectTenantModelOptions {
  /**
   * `Scope.DEFAULT`: one object for the whole application that is the current tenant's model at each call (fast).
   * `Scope.REQUEST`: the plain mongoose model of the request's tenant, made per request; what injects it becomes
   * request-scoped too.
   */
  scope?: Scope.DEFAULT | Scope.REQUEST;
}

/** Injects the model registered under `name`, bound to the current tenant. */
export const InjectTenantModel = (
  name: string,
  { scope = Scope.DEFAULT }: InjectTenantModelOptions = {},
): ReturnType<typeof Inject> => Inject(getTenantModelToken(name, scope === Scope.REQUEST ? 'request' : 'default'));
