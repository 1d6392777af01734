import { compiledModel, EMITTER_METHODS, isBound } from './model.binding.js';
import type { AnyModel } from './model.types.js';

type Emit = (event: string, ...args: unknown[]) => boolean;
type Constructor = new (...args: unknown[]) => object;

/**
 * Runs mongoose's `Model.init()`, which emits the schema's 'init' with the model, at once. One schema serves the models of
 * all databases: a listener that keeps the model it was given last would find another database's documents in it. So it is
 * given a view, which is this database's model until the event is over, and then the compiled one, which refuses all work.
 */
export function emittingView<T>(model: AnyModel, init: () => T): T {
  if (!isBound(model)) return init();
  const schema = model.schema as object as { emit: Emit };
  const emit = schema.emit.bind(schema);
  const own = Object.getOwnPropertyDescriptor(schema, 'emit');
  schema.emit = (event: string, ...args: unknown[]) => emitView(emit, model, event, args);
  try {
    return init();
  } finally {
    if (own) Object.defineProperty(schema, 'emit', own);
    else Reflect.deleteProperty(schema, 'emit');
  }
}

function emitView(emit: Emit, model: AnyModel, event: string, args: unknown[]): boolean {
  if (event !== 'init' || args[0] !== model) return emit(event, ...args);
  const { view, end } = viewOf(model);
  try {
    return emit(event, view, ...args.slice(1));
  } finally {
    end();
  }
}

function viewOf(model: AnyModel): { view: AnyModel; end: () => void } {
  const compiled = compiledModel(model);
  const db = Object.create(compiled.db, { name: { value: model.db.name } }) as object;
  let shown = model;
  const view = new Proxy(model, {
    get(_, key) {
      if (EMITTER_METHODS.includes(key as never)) return calledOn(model, Reflect.get(model, key));
      if (key === 'db' && shown === compiled) return db;
      const value = Reflect.get(shown, key, shown) as unknown;
      return isMethod(key, value) ? calledOn(shown, value) : value;
    },
    set: (_, key, value) => Reflect.set(shown, key, value, shown),
    construct: (_, args) => Reflect.construct(shown as never as Constructor, args) as object,
    apply: (_, __, args: unknown[]) => (shown as never as (...given: unknown[]) => unknown)(...args),
  });
  return { view, end: () => (shown = compiled) };
}

type Method = (...args: unknown[]) => unknown;

const calledOn = (model: AnyModel, method: unknown): Method => (method as Method).bind(model);

/** Not a class such as `Query`, and no other model. */
const isMethod = (key: string | symbol, value: unknown): boolean =>
  typeof value === 'function' && key !== 'constructor' && !/^[A-Z]/.test(String(key)) && !('modelName' in value);
