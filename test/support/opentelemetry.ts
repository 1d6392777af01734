import { AsyncLocalStorage } from 'node:async_hooks';
import {
  context,
  ROOT_CONTEXT,
  trace,
  type Attributes,
  type Context,
  type ContextManager,
  type Meter,
  type MeterProvider,
  type Span,
  type SpanOptions,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';

/** What an OpenTelemetry SDK brings along. */
export class Contexts implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();
  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }
  with: ContextManager['with'] = (active, fn, thisArg, ...args) =>
    this.#storage.run(active, () => fn.apply(thisArg as never, args));
  bind<T>(_: Context, target: T): T {
    return target;
  }
  enable(): this {
    return this;
  }
  disable(): this {
    return this;
  }
}

/** A span that is kept as it was told. */
export interface RecordedSpan {
  name: string;
  kind: number | undefined;
  attributes: Attributes;
  parent: string | undefined;
  status: number | undefined;
  isEnded: boolean;
}

/** Keeps every span. */
export class RecordingTracer implements TracerProvider, Tracer {
  readonly spans: RecordedSpan[] = [];
  readonly #names = new WeakMap<Span, string>();

  getTracer(): Tracer {
    return this;
  }

  startSpan(name: string, { kind, attributes = {} }: SpanOptions = {}, around = context.active()): Span {
    const parent = trace.getSpan(around);
    const recorded: RecordedSpan = {
      name,
      kind,
      attributes: { ...attributes },
      parent: parent && this.#names.get(parent),
      status: undefined,
      isEnded: false,
    };
    this.spans.push(recorded);
    const span = {
      setAttributes: (more: Attributes) => (Object.assign(recorded.attributes, more), span),
      setStatus: ({ code }: { code: number }) => ((recorded.status = code), span),
      end: () => void (recorded.isEnded = true),
    } as unknown as Span;
    this.#names.set(span, name);
    return span;
  }

  startActiveSpan(...args: unknown[]): never {
    const fn = args.at(-1) as (span: Span) => unknown;
    const span = this.startSpan(args[0] as string, args[1] as SpanOptions);
    return context.with(trace.setSpan(context.active(), span), () => fn(span)) as never;
  }
}

/** A value that an instrument was told. */
export interface Recorded {
  name: string;
  value: number;
  attributes: Attributes;
}

/** Keeps every value; those that are read are read by `collect()`. */
export class RecordingMeter implements MeterProvider {
  readonly records: Recorded[] = [];
  readonly instruments = new Map<string, { kind: string; unit: string | undefined }>();
  readonly callbacks = new Set<(result: unknown) => void>();

  getMeter(): Meter {
    const make =
      (kind: string) =>
      (name: string, options: { unit?: string } = {}) => {
        this.instruments.set(name, { kind, unit: options.unit });
        const record = (value: number, attributes: Attributes = {}) =>
          void this.records.push({ name, value, attributes });
        return { name, record, add: record };
      };
    return {
      createHistogram: make('histogram'),
      createCounter: make('counter'),
      createObservableUpDownCounter: make('observable up-down counter'),
      createObservableGauge: make('observable gauge'),
      addBatchObservableCallback: (callback: (result: unknown) => void) => void this.callbacks.add(callback),
      removeBatchObservableCallback: (callback: (result: unknown) => void) => void this.callbacks.delete(callback),
    } as unknown as Meter;
  }

  collect(): Recorded[] {
    const found: Recorded[] = [];
    const observe = ({ name }: { name: string }, value: number, attributes: Attributes) =>
      found.push({ name, value, attributes });
    for (const callback of this.callbacks) callback({ observe });
    return found;
  }

  of(name: string): Recorded[] {
    return this.records.filter((record) => record.name === name);
  }
}
