// #region metrics for Prometheus
import { Controller, Get, Header, Module } from '@nestjs/common';
import { PolyMongoPrometheusModule } from 'nestjs-polymongo/prometheus';
import { register } from 'prom-client';

@Controller('metrics')
class MetricsController {
  @Get()
  @Header('content-type', register.contentType)
  metrics() {
    return register.metrics();
  }
}

@Module({
  imports: [PolyMongoPrometheusModule.forRoot({ maxTenants: 20 })],
  controllers: [MetricsController],
})
export class MetricsModule {}
// #endregion
