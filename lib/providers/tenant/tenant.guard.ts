import { Inject, Injectable, type CanActivate, type ExecutionContext, type Type } from '@nestjs/common';
import { classOfRoot } from '../../polymongo.root-class.js';
import { TenantEntry } from './tenant.entry.js';
import { ASKING_ENTRY } from './tenant.interceptor.js';

/**
 * Decides the tenant between authentication and authorisation, so that the guards after it may ask for it and read its
 * models: `@UseGuards(AuthGuard('jwt'), TenantGuard, RolesGuard)`, on a route, a controller, a gateway or a resolver, or
 * as APP_GUARD between the two. It lets everybody pass; who needs a tenant and has none is refused where it is used.
 * A call whose tenant is decided already is not asked about again, and no interceptor asks after it. For a root with a name it is
 * `TenantGuard.of(name)`.
 * @throws TenantError as the resolvers find: 400, 403 or 404
 * @throws TenantGuardOrderError from the guards beside it, when one of them is on its wrong side
 */
@Injectable()
export class TenantGuard implements CanActivate {
  /** @internal */
  readonly [ASKING_ENTRY]: TenantEntry;

  /** @internal Made by Nest. */
  constructor(@Inject(TenantEntry) entry: TenantEntry) {
    this[ASKING_ENTRY] = entry;
  }

  /** The guard that decides the tenant of a root by its name. @throws PolyMongoOptionsError */
  static of(root: string): Type<TenantGuard> {
    return classOfRoot<TenantGuard, TenantEntry>(TenantGuard, 'TenantEntry', root);
  }

  /**
   * For Nest: decides the tenant of one call, and lets it pass.
   * @throws TenantError as the resolvers find
   */
  async canActivate(execution: ExecutionContext): Promise<boolean> {
    await this[ASKING_ENTRY].askInGuards(execution);
    return true;
  }
}
