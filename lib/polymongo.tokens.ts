import { checkDatabaseName, checks, checkValue } from './polymongo.checks.js';

/** Of the global registry: the ESM and the CommonJS build have the same. The model's name comes last, so no two are alike. */
function tokenOf(what: string, name: string): symbol {
  checkValue('the name of a model', name, checks.string);
  return Symbol.for(`nestjs-polymongo:${what}:${name}`);
}

const CONNECTIONS = Symbol.for('nestjs-polymongo:connections');

/** Injection token of the resolved options. */
export const POLYMONGO_OPTIONS = Symbol.for('nestjs-polymongo:POLYMONGO_OPTIONS');

/** Request-scoped token: the id of the tenant of the current request. */
export const TENANT_ID = Symbol.for('nestjs-polymongo:TENANT_ID');

/** The token of the wrapped model `@InjectPolyModel(name)` injects; for `app.get()` and `overrideProvider()`. @throws PolyMongoOptionsError without a name */
export const getPolyModelToken = (name: string): symbol => tokenOf('PolyModel', name);

/** The token of mongoose's connection to a database, the default one unless another is named. @throws InvalidDatabaseNameError */
export function getPolyConnectionToken(dbName?: string): symbol {
  if (dbName !== undefined) checkDatabaseName(dbName);
  const token = Symbol.for(`nestjs-polymongo:Connection${dbName === undefined ? '' : `:${dbName}`}`);
  injectedConnections.set(token, dbName);
  return token;
}

/** @internal The tokens of @nestjs/mongoose, which need not be installed: `getConnectionToken()` and `getModelToken(name)`. */
export const MONGOOSE_TOKENS = { connection: 'DatabaseConnection', model: (name: string) => `${name}Model` } as const;

/** @internal The databases whose connections somebody injects, by their tokens, in both builds; undefined is the default one. */
export const injectedConnections = ((globalThis as Record<symbol, unknown>)[CONNECTIONS] ??= new Map()) as Map<
  symbol,
  string | undefined
>;

/** @internal The token of the compiled model that both are made of, whatever a test puts in the place of one of them. */
export const getBlueprintToken = (name: string): symbol => tokenOf('Blueprint', name);

/** The token of the tenant model `@InjectTenantModel(name)` injects; with `request`, of the per-request one. @throws PolyMongoOptionsError without a name */
export const getTenantModelToken = (name: string, scope: 'default' | 'request' = 'default'): symbol =>
  tokenOf(scope === 'request' ? 'RequestTenantModel' : 'TenantModel', name);
