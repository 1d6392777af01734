import { Inject, Injectable, type Type } from '@nestjs/common';
import { classOfRoot } from '../polymongo.root-class.js';
import type { HealthOptions, HealthReport } from '../providers/health/health.types.js';
import { PolyMongoHealth } from '../providers/health/polymongo-health.provider.js';

/** What @nestjs/terminus takes as the result of an indicator: under its key `up` or `down`, with what was found. */
export type PolyMongoHealthResult<Key extends string> = Record<
  Key,
  { status: 'up' | 'down' } & Pick<HealthReport, 'isShuttingDown' | 'clusters'>
>;

/**
 * The health of the databases for the health checks of @nestjs/terminus. Put it among the providers of the module with
 * the controller.
 *
 * @example
 * @Get('ready')
 * @HealthCheck()
 * ready() {
 *   return this.health.check([() => this.polymongo.isHealthy('mongodb', { timeoutMS: 500 })]);
 * }
 */
@Injectable()
export class PolyMongoHealthIndicator {
  readonly #health: PolyMongoHealth;

  /** @internal Made by Nest. */
  constructor(@Inject(PolyMongoHealth) health: PolyMongoHealth) {
    this.#health = health;
  }

  /** The indicator of a root by its name. @throws PolyMongoOptionsError */
  static of(root: string): Type<PolyMongoHealthIndicator> {
    return classOfRoot<PolyMongoHealthIndicator, PolyMongoHealth>(PolyMongoHealthIndicator, 'PolyMongoHealth', root);
  }

  /**
   * What {@link PolyMongoHealth.check} finds, as `up` or `down`.
   * @param key under which it is in the result. Default `mongodb`
   * @throws PolyMongoOptionsError, InvalidDatabaseNameError
   */
  async isHealthy<const Key extends string = 'mongodb'>(
    key = 'mongodb' as Key,
    options: HealthOptions = {},
  ): Promise<PolyMongoHealthResult<Key>> {
    const { isHealthy, ...found } = await this.#health.check(options);
    const status = isHealthy ? 'up' : 'down';
    return { [key]: { status, ...found } } as PolyMongoHealthResult<Key>;
  }
}
