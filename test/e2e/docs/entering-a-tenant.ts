import { ConsoleLogger, Inject, Injectable, type ExecutionContext } from '@nestjs/common';
import { CacheInterceptor } from '@nestjs/cache-manager';
import { context, propagation, trace } from '@opentelemetry/api';
import * as Sentry from '@sentry/core';
import { TenantContext, type TenantOptions } from 'nestjs-polymongo';
import pino, { type DestinationStream } from 'pino';

// #region Nest's logger
@Injectable()
export class TenantLogger extends ConsoleLogger {
  constructor(@Inject(TenantContext) private readonly tenant: TenantContext) {
    super();
  }
  protected override formatMessage(...line: Parameters<ConsoleLogger['formatMessage']>): string {
    return `[${this.tenant.state}] ${super.formatMessage(...line)}`;
  }
}
// main.ts: app.useLogger(app.get(TenantLogger));
// #endregion

export function pinoLogger(tenant: TenantContext, stream: DestinationStream) {
  // #region pino
  const logger = pino({ mixin: () => ({ tenant: tenant.state }) }, stream);
  // #endregion
  return logger;
}

// #region OpenTelemetry
export const traced: TenantOptions['onEnter'] = ({ id }) => {
  trace.getActiveSpan()?.setAttribute('tenant.id', id);
  return (fn) => {
    const baggage = propagation.getBaggage(context.active()) ?? propagation.createBaggage();
    return context.with(propagation.setBaggage(context.active(), baggage.setEntry('tenant.id', { value: id })), fn);
  };
};
// #endregion

// #region Sentry
export const reported: TenantOptions['onEnter'] =
  ({ id, kind }) =>
  (fn) =>
    Sentry.withScope((scope) => {
      scope.setTags({ tenant: id, 'tenant.work': kind });
      return fn();
    });
// #endregion

// #region cache
@Injectable()
export class TenantCacheInterceptor extends CacheInterceptor {
  @Inject(TenantContext) private readonly tenant!: TenantContext;

  protected override async trackBy(execution: ExecutionContext): Promise<string | null | undefined> {
    const key = await super.trackBy(execution);
    const tenantId = this.tenant.current();
    return key && tenantId && `${tenantId}:${key}`; // without a tenant nothing is kept
  }
}
// #endregion
