import { checkDatabaseName, checks, checkValue, type Check } from './polymongo.checks.js';

/** The name of a root is in tokens, between their separators, and in @nestjs/mongoose's. */
export const ROOT_CHECK: Check = {
  allowed: "the name of a root: letters, digits, _ and -, and not 'default'",
  accepts: (v) => typeof v === 'string' && /^[\w-]+$/.test(v) && v !== 'default',
};

/** Of the global registry: the ESM and the CommonJS build have the same. What it is of comes last, so no two are alike. */
function tokenOf(what: string, root?: string, of?: string): symbol {
  if (root !== undefined) checkValue('the name of a root', root, ROOT_CHECK);
  return Symbol.for(
    `nestjs-polymongo${root === undefined ? '' : `@${root}`}:${what}${of === undefined ? '' : `:${of}`}`,
  );
}

function modelToken(what: string, name: string, root?: string): symbol {
  checkValue('the name of a model', name, checks.string);
  return tokenOf(what, root, name);
}

const CONNECTIONS = Symbol.for('nestjs-polymongo:connections');

/** Injection token of the resolved options; `getPolyMongoToken(POLYMONGO_OPTIONS, root)` of a named root's. */
export const POLYMONGO_OPTIONS = Symbol.for('nestjs-polymongo:POLYMONGO_OPTIONS');

/** Request-scoped token: the id of the tenant of the current request; `@InjectPolyMongo(TENANT_ID, root)` of a named root's. */
export const TENANT_ID = Symbol.for('nestjs-polymongo:TENANT_ID');

/** @internal The token of one of a named root's parts, by the name of its class. @throws PolyMongoOptionsError */
export const getPartToken = (name: string, root: string): symbol => tokenOf(name, root);

/**
 * The token of the wrapped model `@InjectPolyModel(name, root)` injects; for `app.get()` and `overrideProvider()`.
 * @param root the root's name, where it has one
 * @throws PolyMongoOptionsError without a name
 */
export const getPolyModelToken = (name: string, root?: string): symbol => modelToken('PolyModel', name, root);

/**
 * The token of mongoose's connection to a database, the default one unless another is named.
 * @param root the root's name, where it has one
 * @throws InvalidDatabaseNameError, PolyMongoOptionsError
 */
export function getPolyConnectionToken(dbName?: string, root?: string): symbol {
  if (dbName !== undefined) checkDatabaseName(dbName);
  const token = tokenOf('Connection', root, dbName);
  injectedConnections.set(token, { dbName, root });
  return token;
}

/** @internal The tokens of @nestjs/mongoose, which need not be installed: `getConnectionToken(name)`, `getModelToken(model, name)`. */
export const MONGOOSE_TOKENS = {
  connection: (root?: string) => (root === undefined ? 'DatabaseConnection' : `${root}Connection`),
  model: (name: string, root?: string) => `${root === undefined ? '' : `${root}Connection/`}${name}Model`,
} as const;

/** @internal The databases whose connections somebody injects, by their tokens, in both builds; without a name the default one. */
export const injectedConnections = ((globalThis as Record<symbol, unknown>)[CONNECTIONS] ??= new Map()) as Map<
  symbol,
  { readonly dbName: string | undefined; readonly root: string | undefined }
>;

/** @internal The token of the compiled model that both are made of, whatever a test puts in the place of one of them. */
export const getBlueprintToken = (name: string, root?: string): symbol => modelToken('Blueprint', name, root);

/**
 * The token of the tenant model `@InjectTenantModel(name)` injects; with `request`, of the per-request one.
 * @param root the root's name, where it has one
 * @throws PolyMongoOptionsError without a name
 */
export const getTenantModelToken = (name: string, scope: 'default' | 'request' = 'default', root?: string): symbol =>
  modelToken(scope === 'request' ? 'RequestTenantModel' : 'TenantModel', name, root);
