import type { AnyModel } from '../models/model.types.js';

/**
 * The members that somebody put onto a tenant's model, as a spy does: a tenant's database's model shows them while it is
 * called through that one, so that a static's `this.find()` finds the spy as well. The database's model itself has none of
 * them, and is what everybody gets while there are none.
 */
export class ReplacedMembers {
  readonly #owner: object;
  readonly #views = new WeakMap<object, AnyModel>();
  readonly #originals = new WeakMap<object, AnyModel>();

  /** @param owner where they are put */
  constructor(owner: object) {
    this.#owner = owner;
  }

  /** A model with the replaced members; the model itself where there are none. */
  on<M extends AnyModel>(model: M): M {
    return Object.keys(this.#owner).length === 0 ? model : this.#viewOf(model);
  }

  /** The model that `on()` showed with replaced members; undefined for any other. */
  original(shown: unknown): AnyModel | undefined {
    return this.#originals.get(shown as object);
  }

  #viewOf<M extends AnyModel>(model: M): M {
    const known = this.#views.get(model);
    if (known) return known as M;
    const view = new Proxy(model, {
      get: (_, key, receiver) =>
        this.#isReplaced(key) ? Reflect.get(this.#owner, key) : (Reflect.get(model, key, receiver) as unknown),
      construct: (_, args) => Reflect.construct(model as unknown as new () => object, args) as object,
    });
    this.#views.set(model, view);
    this.#originals.set(view, model);
    return view;
  }

  #isReplaced(key: PropertyKey): boolean {
    return key !== 'prototype' && Object.prototype.propertyIsEnumerable.call(this.#owner, key);
  }
}
