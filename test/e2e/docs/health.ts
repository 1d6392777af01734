// #region with terminus
import { Controller, Get, Module } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { PolyMongoHealthIndicator } from 'nestjs-polymongo/terminus';

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly polymongo: PolyMongoHealthIndicator,
  ) {}

  @Get('live') // the process answers: no database is asked
  @HealthCheck()
  live() {
    return this.health.check([]);
  }

  @Get('ready') // it can be sent requests
  @HealthCheck()
  ready() {
    return this.health.check([() => this.polymongo.isHealthy('mongodb', { timeoutMS: 500 })]);
  }
}

@Module({ imports: [TerminusModule], controllers: [HealthController], providers: [PolyMongoHealthIndicator] })
export class HealthModule {}
// #endregion
