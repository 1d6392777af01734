import { Inject, Injectable, type CallHandler, type NestInterceptor, type Type } from '@nestjs/common';
import { classOfRoot } from '../../polymongo.root-class.js';
import type { Observable } from 'rxjs';
import { TenantEntry } from './tenant.entry.js';

/** On an interceptor or guard: the entry whose resolvers are asked for the messages it is on. */
export const ASKING_ENTRY: unique symbol = Symbol.for('polymongo.tenant.entry') as never;

/** It is a `TenantInterceptor` or `TenantGuard` of the application of this entry. */
export const isAsking = (one: object, entry: TenantEntry): boolean => Reflect.get(one, ASKING_ENTRY) === entry;

/**
 * Has the resolvers asked for WebSocket and microservice messages and GraphQL subscriptions: put it on the gateway,
 * controller or resolver with `@UseInterceptors(TenantInterceptor)`. They are asked after the guards and before all
 * interceptors, wherever it stands among them. For HTTP requests they are asked without it. For a root with a name it is
 * `TenantInterceptor.of(name)`.
 */
@Injectable()
export class TenantInterceptor implements NestInterceptor {
  /** @internal */
  readonly [ASKING_ENTRY]: TenantEntry;

  /** @internal Made by Nest. */
  constructor(@Inject(TenantEntry) entry: TenantEntry) {
    this[ASKING_ENTRY] = entry;
  }

  /** The interceptor that has the resolvers of a root asked, by its name. @throws PolyMongoOptionsError */
  static of(root: string): Type<TenantInterceptor> {
    return classOfRoot<TenantInterceptor, TenantEntry>(TenantInterceptor, 'TenantEntry', root);
  }

  /** For Nest: the call goes on; its tenant was decided before. */
  intercept(_: unknown, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}
