import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Observable } from 'rxjs';
import type { TenantRequest } from '../../polymongo.tenant-options.js';
import { TenantEntry } from './tenant.entry.js';

/**
 * Finds the tenant where the request does not tell it on arrival: after the guards of an HTTP request, and of WebSocket
 * and microservice messages. It is global by itself when a resolver runs after the guards; for messages put it on the
 * gateway or controller with `@UseInterceptors(TenantInterceptor)`.
 */
@Injectable()
export class TenantInterceptor implements NestInterceptor {
  constructor(@Inject(TenantEntry) private readonly entry: TenantEntry) {}

  async intercept(execution: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const { context, resolution, directory } = this.entry;
    const request = requestOf(execution);
    const { scope } = context;
    if (scope?.isRequest) {
      const tenantId = await resolution.afterGuards(request, execution);
      if (tenantId !== undefined) await directory.admit(tenantId);
      context.decide(scope, tenantId);
      return next.handle();
    }
    const tenantId = await resolution.atOnce(request, execution);
    if (tenantId === undefined) return context.within(undefined, () => next.handle());
    await directory.admit(tenantId);
    return context.run(tenantId, () => next.handle());
  }
}

interface WsClient {
  handshake?: TenantRequest;
  request?: TenantRequest;
  user?: unknown;
  data?: { user?: unknown };
}

interface GraphqlContext {
  req?: TenantRequest;
  request?: TenantRequest;
  reply?: { request?: TenantRequest };
}

const NO_REQUEST: TenantRequest = { headers: {} };

function requestOf(execution: ExecutionContext): TenantRequest {
  switch (execution.getType<string>()) {
    case 'http':
      return execution.switchToHttp().getRequest<TenantRequest>();
    case 'ws': {
      const client = execution.switchToWs().getClient<WsClient>();
      const { headers, url } = client.handshake ?? client.request ?? NO_REQUEST;
      const data: unknown = execution.switchToWs().getData();
      return { headers, ...(url !== undefined && { url }), user: client.data?.user ?? client.user, data };
    }
    case 'graphql': {
      const context = execution.getArgByIndex<GraphqlContext | undefined>(2);
      return context?.req ?? context?.request ?? context?.reply?.request ?? NO_REQUEST;
    }
    default:
      return { headers: {}, data: execution.switchToRpc().getData<unknown>() };
  }
}
