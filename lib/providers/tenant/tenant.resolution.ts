import type { ExecutionContext } from '@nestjs/common';
import { PolyMongoError } from '../../polymongo.errors.js';
import { TenantConflictError } from './tenant.errors.js';
import type {
  TenantRequest,
  TenantResolver,
  TenantResolverClass,
  TenantResolverOption,
  TenantResolverProvider,
} from '../../polymongo.tenant-options.js';
import type { TenantContext, TenantScope } from './tenant.context.js';

/** Makes the instance of a resolver class. */
export type ResolverFactory = (type: TenantResolverClass) => Promise<TenantResolverProvider>;

type Found = string | undefined;
type Answer = Found | Promise<Found>;

/**
 * Asks the resolvers of the `resolve` option: some when a request arrives, some after its guards. Where some wait for the
 * guards, what the others find is only what a client says: it is compared, and does not decide unless it is trusted.
 */
export class TenantResolution {
  /** Asked on arrival, and decide. */
  #deciding: readonly TenantResolver[] = [];
  /** Asked on arrival, and compared. */
  #naming: readonly TenantResolver[] = [];
  #afterGuards: readonly TenantResolver[] = [];
  /** Whom a test has put in the place of what they find. */
  #override: string | undefined;

  /** @param trusted those of the resolvers that decide on arrival whatever the guards find */
  constructor(
    readonly resolvers: readonly TenantResolverOption[],
    readonly trusted: readonly TenantResolverOption[],
    readonly context: TenantContext,
  ) {
    this.#use(
      resolvers.map((resolver) => (isClass(resolver) ? withStageOf(resolver, () => notConstructed()) : resolver)),
    );
  }

  /** Makes the resolvers that are classes. Called when the application starts, before the first request. */
  async construct(make: ResolverFactory): Promise<void> {
    const all = this.resolvers.map(async (resolver) => {
      if (!isClass(resolver)) return resolver;
      const instance = await make(resolver);
      return withStageOf(resolver, (request, context) => instance.resolve(request, context));
    });
    this.#use(await Promise.all(all));
  }

  /** Has every request and message that is asked about be this tenant's, for tests. Gives the function that ends it. */
  override(tenantId: string): () => void {
    this.#override = tenantId;
    return () => {
      this.#override = undefined;
    };
  }

  /** Some resolver waits for the guards. */
  get hasAfterGuards(): boolean {
    return this.#afterGuards.length > 0;
  }

  /**
   * The tenant of an arriving request, as far as it is certain; what it only names is noted in its scope.
   * @throws TenantConflictError, InvalidTenantIdError
   */
  onArrival(request: TenantRequest, scope: TenantScope): Answer {
    if (this.#override !== undefined) return this.#override;
    return this.#naming.length === 0 ? this.#ask(this.#deciding, request) : this.#compare(request, scope);
  }

  /** The tenant that is known after the guards. @throws as above */
  async afterGuards(request: TenantRequest, scope: TenantScope, context: ExecutionContext): Promise<Found> {
    if (this.#override !== undefined) return this.#override;
    const found = await this.#ask(this.#afterGuards, request, context);
    return found === undefined ? undefined : this.#agree(found, scope.named);
  }

  /** The tenant of a message, which came by no HTTP request. @throws as above */
  async atOnce(request: TenantRequest, scope: TenantScope, context: ExecutionContext): Promise<Found> {
    if (this.#override !== undefined) return this.#override;
    const decided = await this.#compare(request, scope, context);
    return this.#agree(decided, await this.afterGuards(request, scope, context));
  }

  async #compare(request: TenantRequest, scope: TenantScope, context?: ExecutionContext): Promise<Found> {
    const decided = await this.#ask(this.#deciding, request, context);
    scope.named = this.#agree(decided, await this.#ask(this.#naming, request, context));
    return decided;
  }

  #use(resolvers: readonly TenantResolver[]): void {
    this.#afterGuards = resolvers.filter((resolver) => resolver.runsAfterGuards);
    const decides = (i: number) => !this.hasAfterGuards || this.trusted.includes(this.resolvers[i]!);
    const onArrival = (isDeciding: boolean) =>
      resolvers.filter((resolver, i) => !resolver.runsAfterGuards && decides(i) === isDeciding);
    this.#deciding = onArrival(true);
    this.#naming = onArrival(false);
  }

  /** Asks one after the other; every request comes here, most without a promise or an array. */
  #ask(resolvers: readonly TenantResolver[], request: TenantRequest, context?: ExecutionContext): Answer {
    let found: string | undefined;
    for (let i = 0; i < resolvers.length; i++) {
      const answer = resolvers[i]!(request, context);
      if (isPromise(answer)) return this.#askOn(found, answer, resolvers.slice(i + 1), request, context);
      found = this.#agree(found, answer);
    }
    return found;
  }

  async #askOn(
    found: string | undefined,
    answer: Promise<string | undefined>,
    rest: readonly TenantResolver[],
    request: TenantRequest,
    context?: ExecutionContext,
  ): Promise<string | undefined> {
    let agreed = this.#agree(found, await answer);
    for (const resolver of rest) agreed = this.#agree(agreed, await resolver(request, context));
    return agreed;
  }

  #agree(found: string | undefined, answer: string | undefined): string | undefined {
    if (answer === undefined) return found;
    this.context.check(answer);
    if (found !== undefined && found !== answer) throw new TenantConflictError();
    return answer;
  }
}

export const isPromise = <T>(value: T | Promise<T>): value is Promise<T> =>
  typeof value === 'object' && typeof (value as { then?: unknown } | null)?.then === 'function';

const isClass = (resolver: TenantResolverOption): resolver is TenantResolverClass =>
  typeof (resolver as TenantResolverClass).prototype?.resolve === 'function';

const withStageOf = ({ runsAfterGuards = false }: TenantResolverClass, resolve: TenantResolver): TenantResolver =>
  Object.assign(resolve, { runsAfterGuards });

function notConstructed(): never {
  throw new PolyMongoError('A tenant resolver class was asked before the application has been initialized.');
}
