import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { getPolyMongoToken } from '../polymongo.parts.js';
import { PolyMongoWrapper } from '../polymongo.wrapper.js';
import { instrumentOpenTelemetry, type OpenTelemetryOptions } from './opentelemetry.instrumentation.js';

/** Options of the module. */
export interface OpenTelemetryModuleOptions extends OpenTelemetryOptions {
  /** The name of the root that is measured, where it has one. */
  root?: string;
}

const END = Symbol('the end of the instrumentation');

/**
 * Metrics and spans of operations by the conventions of OpenTelemetry, as long as the application runs.
 *
 * @example
 * @Module({ imports: [PolyMongoModule.forRoot({ mongoURI }), PolyMongoOpenTelemetryModule.forRoot()] })
 */
@Module({})
export class PolyMongoOpenTelemetryModule implements OnApplicationShutdown {
  readonly #end: () => void;

  /** @internal Made by Nest. */
  constructor(@Inject(END) end: () => void) {
    this.#end = end;
  }

  /** The application does not start where @opentelemetry/api is not installed. */
  static forRoot({ root, ...options }: OpenTelemetryModuleOptions = {}): DynamicModule {
    const useFactory = (wrapper: PolyMongoWrapper) => instrumentOpenTelemetry(wrapper, options);
    return {
      module: PolyMongoOpenTelemetryModule,
      providers: [{ provide: END, inject: [getPolyMongoToken(PolyMongoWrapper, root)], useFactory }],
    };
  }

  /** Called by Nest. */
  onApplicationShutdown(): void {
    this.#end();
  }
}
