/** Injection token of the resolved options. */
export const POLYMONGO_OPTIONS = Symbol('POLYMONGO_OPTIONS');

/** Request-scoped token: the id of the tenant of the current request. */
export const TENANT_ID = Symbol('TENANT_ID');

/** The token of the wrapped model `@InjectPolyModel(name)` injects; for `app.get()` and `overrideProvider()`. */
export const getPolyModelToken = (name: string): string => `${name}PolyModel`;

/** The token of the tenant model `@InjectTenantModel(name)` injects; with `request`, of the per-request one. */
export const getTenantModelToken = (name: string, scope: 'default' | 'request' = 'default'): string =>
  scope === 'request' ? `${name}RequestTenantModel` : `${name}TenantModel`;
