// #region without terminus
import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';
import { PolyMongoHealth } from 'nestjs-polymongo';

@Controller('health')
export class ProbeController {
  constructor(private readonly health: PolyMongoHealth) {}

  @Get('live')
  live() {}

  @Get('ready')
  async ready() {
    const report = await this.health.check({ timeoutMS: 500 });
    if (!report.isHealthy) throw new ServiceUnavailableException(report);
    return report;
  }
}
// #endregion
