import { Catch, type ArgumentsHost } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { throwError } from 'rxjs';
import { TenantError } from './tenant.errors.js';

/** What a client of a gateway or microservice is told: as Nest's own filters tell it, with the HTTP status. */
interface TenantFailure {
  readonly status: 'error';
  readonly statusCode: number;
  readonly message: string;
}

interface SocketIoClient {
  emit(event: string, payload: TenantFailure): void;
}

/** A socket of `ws`: it has an `emit` too, but that is for its own listeners. */
interface NativeClient {
  readonly readyState: number;
  send(message: string): void;
}

/**
 * Tells the clients of gateways and microservices what was wrong with their tenant, where Nest's own filters say
 * `Internal server error`. Put it on the gateway or controller with `@UseFilters(TenantExceptionFilter)`, or on all with
 * `APP_FILTER`; HTTP requests and GraphQL are answered as without it. A socket gets the event `exception`, the caller of
 * a message pattern an error, both `{ status: 'error', statusCode, message }`.
 */
@Catch(TenantError)
export class TenantExceptionFilter extends BaseExceptionFilter<TenantError> {
  /** For Nest: answers one error. */
  override catch(error: TenantError, host: ArgumentsHost): unknown {
    const { message, statusCode } = error;
    const failure: TenantFailure = { status: 'error', statusCode, message };
    switch (host.getType<string>()) {
      case 'ws':
        return tell(host.switchToWs().getClient(), failure);
      case 'rpc':
        return throwError(() => failure);
      case 'graphql':
        return error;
      default:
        return super.catch(error, host);
    }
  }
}

function tell(client: SocketIoClient | NativeClient, failure: TenantFailure): void {
  if ('readyState' in client) client.send(JSON.stringify({ event: 'exception', data: failure }));
  else client.emit('exception', failure);
}
