import { PolyMongoError } from '../../polymongo.errors.js';
import { isBound, templateOf } from '../models/model.binding.js';
import { TenantModelWrapError } from '../models/model.errors.js';
import type { ModelRegistry } from '../models/model.registry.js';
import type { AnyModel, PolyModelOf } from '../models/model.types.js';
import { createPolyModel } from '../models/poly.model.js';
import type { PolyMongoPools } from '../pools/polymongo-pools.provider.js';
import type { TenantDatabases } from './tenant.databases.js';
import { createTenantModel } from './tenant.model.js';

/** The models that applications are given: one that leads to all databases for each schema, and those of the current tenant. */
export class WrappedModels {
  readonly #wrapped = new Map<AnyModel, PolyModelOf<AnyModel>>();
  readonly #ofTenants = new WeakSet<AnyModel>();

  constructor(
    readonly pools: PolyMongoPools,
    readonly registry: ModelRegistry,
    readonly tenantDatabases: TenantDatabases,
  ) {}

  /** The same model again, or the wrapper, gives the same wrapper. @throws ModelAlreadyRegisteredError, TenantModelWrapError */
  wrap<M extends AnyModel>(model: M): PolyModelOf<M> {
    if (typeof model !== 'function' || typeof model.modelName !== 'string') {
      throw new PolyMongoError("wrapModel() takes a mongoose model, such as mongoose.model('User', schema).");
    }
    if (this.#ofTenants.has(model)) throw new TenantModelWrapError(model.modelName);
    const blueprint = isBound(model) ? this.registry.blueprint(model.modelName) : model;
    let wrapped = this.#wrapped.get(blueprint);
    if (!wrapped) {
      this.registry.assertTakesPlugins(blueprint);
      this.registry.adopt(blueprint);
      wrapped = createPolyModel<AnyModel>(blueprint, {
        pools: this.pools,
        registry: this.registry,
        tenantDatabase: () => this.tenantDatabases.current(),
      });
      this.#wrapped.set(blueprint, wrapped);
    }
    return wrapped as unknown as PolyModelOf<M>;
  }

  /** A model that is the current tenant's at each call. */
  ofTenant<M extends AnyModel>(model: M): M {
    const wrapped = this.wrap(model);
    const blueprint = this.registry.blueprint(model.modelName) as M;
    const ofTenant = createTenantModel(blueprint, templateOf(wrapped).prototype as object, {
      model: wrapped.tenant,
      connection: () => this.pools.connectionOf(this.tenantDatabases.current()),
    });
    this.#ofTenants.add(ofTenant);
    return ofTenant;
  }
}
