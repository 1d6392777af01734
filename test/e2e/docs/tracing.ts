// #region metrics and spans for OpenTelemetry
import { Module } from '@nestjs/common';
import { PolyMongoOpenTelemetryModule } from 'nestjs-polymongo/opentelemetry';

@Module({ imports: [PolyMongoOpenTelemetryModule.forRoot({ tenants: ['acme', 'globex'] })] })
export class ObservabilityModule {}
// #endregion
