import { checks, checkValue } from './polymongo.checks.js';

/** Of the global registry: the ESM and the CommonJS build have the same. The model's name comes last, so no two are alike. */
function tokenOf(what: string, name: string): symbol {
  checkValue('the name of a model', name, checks.string);
  return Symbol.for(`nestjs-polymongo:${what}:${name}`);
}

/** Injection token of the resolved options. */
export const POLYMONGO_OPTIONS = Symbol.for('nestjs-polymongo:POLYMONGO_OPTIONS');

/** Request-scoped token: the id of the tenant of the current request. */
export const TENANT_ID = Symbol.for('nestjs-polymongo:TENANT_ID');

/** The token of the wrapped model `@InjectPolyModel(name)` injects; for `app.get()` and `overrideProvider()`. @throws PolyMongoOptionsError without a name */
export const getPolyModelToken = (name: string): symbol => tokenOf('PolyModel', name);

/** @internal The token of the compiled model that both are made of, whatever a test puts in the place of one of them. */
export const getBlueprintToken = (name: string): symbol => tokenOf('Blueprint', name);

/** The token of the tenant model `@InjectTenantModel(name)` injects; with `request`, of the per-request one. @throws PolyMongoOptionsError without a name */
export const getTenantModelToken = (name: string, scope: 'default' | 'request' = 'default'): symbol =>
  tokenOf(scope === 'request' ? 'RequestTenantModel' : 'TenantModel', name);
