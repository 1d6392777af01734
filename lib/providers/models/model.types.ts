import type { Connection, Model } from 'mongoose';

/** Any mongoose model, whatever its document, statics and query helpers. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- mongoose's Model is invariant in its parameters
export type AnyModel = Model<any, any, any, any, any>;

/** The raw document type of a model. */
export type DocumentOf<M> = M extends Model<infer T, infer _Q, infer _I, infer _V, infer _D> ? T : never;

/**
 * What features right of the models add to every model; they fill it in by declaration merging, so that
 * `watch$` is typed where it is written.
 * @public
 */
export interface ModelExtensions<M> {
  /** @internal */ readonly __model?: M;
}

/** A model of one database, with its methods, statics, virtuals and query helpers. */
export type DatabaseModel<M> = M & ModelExtensions<M>;

/** A wrapped model: itself the model of the default database, and the way to the same model on every other one. */
export type PolyModelOf<M> = DatabaseModel<M> & {
  /**
   * The model on another database: the same object on each call. Also mongoose's own `Model.db`, the connection of
   * the default database.
   * @throws InvalidDatabaseNameError
   */
  db: Connection & ((name: string) => DatabaseModel<M>);
  /**
   * The model on the current tenant's database.
   * @throws TenantError when there is no current tenant; never falls back to the default database
   */
  tenant(): DatabaseModel<M>;
};

/** A wrapped model of documents `T`, or of a model type with statics and query helpers of its own. */
export type PolyModel<T> = T extends AnyModel ? PolyModelOf<T> : PolyModelOf<Model<T>>;

/** The name the seed has for {@link PolyModel}. */
export type WrappedModel<T> = PolyModel<T>;

/** What `@InjectTenantModel` injects: a model that is the current tenant's at each call. */
export type TenantModel<T> = T extends AnyModel ? DatabaseModel<T> : DatabaseModel<Model<T>>;
