import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { getPolyMongoToken } from '../polymongo.parts.js';
import { PolyMongoWrapper } from '../polymongo.wrapper.js';
import { collectPrometheusMetrics, type PrometheusOptions } from './prometheus.metrics.js';

/** Options of the module. */
export interface PrometheusModuleOptions extends PrometheusOptions {
  /** The name of the root that is measured, where it has one. */
  root?: string;
}

const END = Symbol('the end of the measurements');

/**
 * Measures operations and sockets for Prometheus, as long as the application runs.
 *
 * @example
 * @Module({ imports: [PolyMongoModule.forRoot({ mongoURI }), PolyMongoPrometheusModule.forRoot()] })
 */
@Module({})
export class PolyMongoPrometheusModule implements OnApplicationShutdown {
  readonly #end: () => void;

  /** @internal Made by Nest. */
  constructor(@Inject(END) end: () => void) {
    this.#end = end;
  }

  /** The application does not start where prom-client is not installed. */
  static forRoot({ root, ...options }: PrometheusModuleOptions = {}): DynamicModule {
    const useFactory = (wrapper: PolyMongoWrapper) => collectPrometheusMetrics(wrapper, options);
    return {
      module: PolyMongoPrometheusModule,
      providers: [{ provide: END, inject: [getPolyMongoToken(PolyMongoWrapper, root)], useFactory }],
    };
  }

  /** Called by Nest. */
  onApplicationShutdown(): void {
    this.#end();
  }
}
