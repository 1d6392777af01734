import {
  Catch,
  Inject,
  Injectable,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
  type NestMiddleware,
  type PipeTransform,
} from '@nestjs/common';
import { Metadata } from '@grpc/grpc-js';
import { BaseExceptionFilter } from '@nestjs/core';
import { PolyMongoTransactions } from 'nestjs-polymongo';
import { from, lastValueFrom, map, mergeMap, of, switchMap, tap, throwError, type Observable } from 'rxjs';
import { FuzzWork, NOBODY, random } from './fuzz-work.js';
import { SharedResource } from './shared-resource.js';

/** What all tenants share, and what answers in the context of whichever opened it. */
const RESOURCES = Array.from({ length: 6 }, () => new SharedResource());

/** Goes on at once, or where one of the resources answers. */
function detour(): Observable<void> {
  const resource = RESOURCES[random(RESOURCES.length)]!;
  if (random(10) === 0) resource.close();
  return random(3) === 0 ? of(undefined) : resource.answer();
}

type Hook = (request: unknown, reply: unknown, ...rest: unknown[]) => void;

/** Has hooks of Fastify's go on where a shared resource answers. */
export function detourHooks(fastify: { addHook(name: string, hook: Hook): unknown }): void {
  const hook: Hook = (_request, _reply, done) => void detour().subscribe(() => (done as () => void)());
  for (const name of ['onRequest', 'preValidation', 'preHandler']) fastify.addHook(name, (...args) => hook(...args));
  fastify.addHook('preParsing', (_request, _reply, payload, done) => {
    detour().subscribe(() => (done as (error: null, payload: unknown) => void)(null, payload));
  });
}

/** Opens some of the resources anew, here. */
export async function reopen(): Promise<void> {
  const some = RESOURCES.filter(() => random(2) === 0);
  for (const resource of some) resource.close();
  await Promise.all(some.map((resource) => lastValueFrom(resource.answer())));
}

interface Sent {
  headers: { 'x-tenant-id'?: string; upgrade?: string };
  /** Of the request that graphql-ws keeps. */
  extra?: { request: Sent };
}
interface Socket {
  handshake: Sent;
}

const tenantOfRequest = ({ headers }: Sent): string => headers['x-tenant-id'] ?? NOBODY;

/** What a GraphQL operation came in, or what opened its WebSocket. */
function graphqlRequestOf(execution: ArgumentsHost): Sent {
  const context = execution.getArgByIndex<{ req?: Sent; request?: Sent; reply?: { request: Sent } }>(2);
  const sent = (context.req ?? context.request ?? context.reply?.request)!;
  return sent.extra?.request ?? sent;
}

/** Whose a call is, by what was sent. */
function tenantOf(execution: ArgumentsHost): string {
  switch (execution.getType<string>()) {
    case 'ws':
      return tenantOfRequest(execution.switchToWs().getClient<Socket>().handshake);
    case 'rpc': {
      const context = execution.switchToRpc().getContext<unknown>();
      if (context instanceof Metadata) return (context.get('x-tenant-id')[0] as string | undefined) ?? NOBODY;
      return execution.switchToRpc().getData<{ tenant?: string }>().tenant ?? NOBODY;
    }
    case 'graphql':
      return tenantOfRequest(graphqlRequestOf(execution));
    default:
      return tenantOfRequest(execution.switchToHttp().getRequest<Sent>());
  }
}

/** Its tenant is decided after the guards. */
function isMessage(execution: ExecutionContext): boolean {
  const type = execution.getType<string>();
  if (type !== 'graphql') return type === 'ws' || type === 'rpc';
  return graphqlRequestOf(execution).headers.upgrade !== undefined;
}

/** A GraphQL query or mutation, which asks at each of its fields. */
const hasFields = (execution: ExecutionContext): boolean =>
  execution.getType<string>() === 'graphql' &&
  execution.getArgByIndex<{ operation: { operation: string } }>(3).operation.operation !== 'subscription';

@Injectable()
export class FuzzMiddleware implements NestMiddleware {
  constructor(@Inject(FuzzWork) readonly work: FuzzWork) {}
  use(request: Sent & { app?: unknown }, _: unknown, next: () => void): void {
    // Fastify, whose requests have no `app`, finds the tenant afterwards.
    this.work.saw('middleware', request.app ? tenantOfRequest(request) : 'pending');
    detour().subscribe(() => next());
  }
}

@Injectable()
export class FuzzGuard implements CanActivate {
  constructor(@Inject(FuzzWork) readonly work: FuzzWork) {}
  canActivate(execution: ExecutionContext) {
    // For another field of the same operation it may have been decided already.
    const isDecided = !isMessage(execution) || (hasFields(execution) && this.work.context.state !== 'pending');
    this.work.saw('guard', isDecided ? tenantOf(execution) : 'pending');
    return detour().pipe(map(() => true));
  }
}

abstract class FuzzInterceptor implements NestInterceptor {
  constructor(@Inject(FuzzWork) readonly work: FuzzWork) {}
  intercept(execution: ExecutionContext, next: CallHandler) {
    const tenant = tenantOf(execution);
    const saw = (stage: string) => this.work.saw(`${this.constructor.name} ${stage}`, tenant);
    saw('before');
    const early = random(2) === 0 ? next.handle() : undefined;
    return detour().pipe(
      switchMap(() => early ?? next.handle()),
      tap({ next: () => saw('after'), error: () => saw('after an error') }),
      mergeMap((value) => detour().pipe(map(() => value as unknown))),
    );
  }
}

@Injectable()
export class OuterInterceptor extends FuzzInterceptor {}

@Injectable()
export class InnerInterceptor extends FuzzInterceptor {}

/** Has what is inside of it be one transaction. */
@Injectable()
export class TransactionInterceptor implements NestInterceptor {
  constructor(
    @Inject(FuzzWork) readonly work: FuzzWork,
    @Inject(PolyMongoTransactions) readonly transactions: PolyMongoTransactions,
  ) {}
  intercept(_: ExecutionContext, next: CallHandler) {
    const options = { db: this.work.notes.db.name };
    return from(this.transactions.run(() => lastValueFrom(next.handle()), options));
  }
}

@Injectable()
export class FuzzPipe implements PipeTransform {
  constructor(@Inject(FuzzWork) readonly work: FuzzWork) {}
  async transform(value: unknown): Promise<unknown> {
    const tenant = (value as { tenant?: string } | undefined)?.tenant;
    if (tenant !== undefined) this.work.saw('pipe', tenant);
    await lastValueFrom(detour());
    if (tenant !== undefined) this.work.saw('pipe after', tenant);
    return value;
  }
}

@Catch()
export class FuzzFilter extends BaseExceptionFilter {
  @Inject(FuzzWork) readonly work!: FuzzWork;
  override catch(error: unknown, host: ArgumentsHost): unknown {
    this.work.saw('filter', tenantOf(host));
    switch (host.getType<string>()) {
      case 'http':
        return super.catch(error, host);
      case 'rpc':
        return throwError(() => error);
      default:
        return error;
    }
  }
}
