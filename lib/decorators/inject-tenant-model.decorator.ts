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
  /** The name of the root that it is registered in, where that has one. */
  root?: string;
}

/** Injects the model registered under `name`, bound to the current tenant. @param options or the name of its root alone */
export function InjectTenantModel(
  name: string,
  options: InjectTenantModelOptions | string = {},
): ReturnType<typeof Inject> {
  const { scope, root }: InjectTenantModelOptions = typeof options === 'string' ? { root: options } : options;
  return Inject(getTenantModelToken(name, scope === Scope.REQUEST ? 'request' : 'default', root));
}
