import { Inject, Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { getPolyMongoToken } from '../polymongo.parts.js';
import type { HealthOptions, HealthReport } from '../providers/health/health.types.js';
import { PolyMongoHealth } from '../providers/health/polymongo-health.provider.js';

/** What @nestjs/terminus takes as the result of an indicator: under its key `up` or `down`, with what was found. */
export type PolyMongoHealthResult<Key extends string> = Record<
  Key,
  { status: 'up' | 'down' } & Pick<HealthReport, 'isShuttingDown' | 'clusters'>
>;

/** What is looked at, and how. */
export interface HealthIndicatorOptions extends HealthOptions {
  /** The name of the root whose databases these are, where that has one. */
  root?: string;
}

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
  readonly #moduleRef: Pick<ModuleRef, 'get'>;

  /** @internal Made by Nest. */
  constructor(@Inject(ModuleRef) moduleRef: Pick<ModuleRef, 'get'>) {
    this.#moduleRef = moduleRef;
  }

  #healthOf(root: string | undefined): PolyMongoHealth {
    return this.#moduleRef.get<PolyMongoHealth>(getPolyMongoToken(PolyMongoHealth, root), { strict: false });
  }

  /**
   * What {@link PolyMongoHealth.check} finds, as `up` or `down`.
   * @param key under which it is in the result. Default `mongodb`
   * @throws PolyMongoOptionsError, InvalidDatabaseNameError
   */
  async isHealthy<const Key extends string = 'mongodb'>(
    key = 'mongodb' as Key,
    { root, ...options }: HealthIndicatorOptions = {},
  ): Promise<PolyMongoHealthResult<Key>> {
    const { isHealthy, ...found } = await this.#healthOf(root).check(options);
    const status = isHealthy ? 'up' : 'down';
    return { [key]: { status, ...found } } as PolyMongoHealthResult<Key>;
  }
}
