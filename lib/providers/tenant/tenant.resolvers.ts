import { pathOf, valueAt } from './message.path.js';
import { AmbiguousPathError, TenantConflictError } from './tenant.errors.js';
import { checkOptions, checks, checkValue } from '../../polymongo.checks.js';
import { PolyMongoOptionsError } from '../../polymongo.errors.js';
import type { TenantRequest, TenantResolver } from '../../polymongo.tenant-options.js';

/** The tenant id in a request header. The header may come twice, but not with two values. */
export function fromHeader(name: string): TenantResolver {
  checkValue('name of fromHeader(name)', name, checks.string);
  const key = name.toLowerCase();
  return (request) => {
    const value = request.headers[key];
    if (typeof value === 'string' && !value.includes(',')) return value; // Node joins duplicates with commas
    return value === undefined ? undefined : theOnly(valuesOf(request, key) ?? [value].flat());
  };
}

/**
 * The tenant id as the first label of the host name: `acme` of `acme.example.com`.
 * @param options `baseDomain`: only hosts right below it name a tenant ('example.com')
 */
export function fromSubdomain(input: { baseDomain?: string } = {}): TenantResolver {
  checkOptions('fromSubdomain.', input, { baseDomain: checks.string });
  const { baseDomain } = input;
  const suffix = baseDomain && `.${baseDomain.toLowerCase()}`;
  return (request) => {
    const host = hostOf(request);
    if (suffix) return host.endsWith(suffix) && host.length > suffix.length ? host.slice(0, -suffix.length) : undefined;
    if (/^[\d.]+$|:/.test(host)) return undefined; // an address has no subdomain
    const labels = host.split('.');
    return labels.length > (labels.at(-1) === 'localhost' ? 1 : 2) ? labels[0] : undefined;
  };
}

/**
 * The tenant id as a segment of the path, found before the request is routed: `fromPath('/shops/:tenant')` gives
 * `acme` of `/shops/acme/orders`. Paths that begin otherwise name no tenant. It sees a tenant in every way of writing the
 * path that a router could take for it: whatever the case, escaped, with doubled slashes, with the host before it. A target
 * that no browser sends and routers read differently is refused with AmbiguousPathError (400).
 * @throws PolyMongoOptionsError when the template has no parameter
 */
export function fromPath(template: string): TenantResolver {
  checkValue('template of fromPath(template)', template, checks.string);
  const wanted = segmentsOf(template);
  const at = wanted.findIndex((segment) => segment.startsWith(':'));
  if (at < 0)
    throw new PolyMongoOptionsError(
      'tenant.resolve',
      `fromPath('${template}') needs a parameter, as in fromPath('/shops/:tenant').`,
    );
  return ({ originalUrl, url = '' }) => {
    const target = originalUrl ?? url;
    if (AMBIGUOUS.test(target.split('?', 1)[0]!)) throw new AmbiguousPathError();
    const segments = segmentsOf(target);
    const matches = wanted.every((segment, i) =>
      segment.startsWith(':') ? segments[i] : segments[i]?.toLowerCase() === segment.toLowerCase(),
    );
    return matches ? segments[at]! : undefined;
  };
}

/**
 * What Express hands to Node's `url.parse`, which takes a fragment off, turns `\\` into `/`, sees a host in `//user@host/`
 * and lets one end at many a character. No request target has these. @see https://www.rfc-editor.org/rfc/rfc9112#section-3.2
 */
const AMBIGUOUS = /[#\\]|^\/\/[^/]*@|^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._:[\]-]*[^a-z0-9._:[\]\-/]/i;

/** The segments of a request's target, which may be in absolute form. @see https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2 */
const segmentsOf = (target: string): string[] =>
  target
    .replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')
    .split(/[?#]/, 1)[0]!
    .split('/')
    .filter(Boolean)
    .map(decoded);

/** The tenant id in a cookie. For signed cookies write a function, such as `(request) => request.signedCookies.tenant`. */
export function fromCookie(name: string): TenantResolver {
  checkValue('name of fromCookie(name)', name, checks.string);
  return ({ headers }) => {
    const pairs = String(headers['cookie'] ?? '').split(';');
    const values = pairs.flatMap((pair) => {
      const at = pair.indexOf('=');
      return at >= 0 && pair.slice(0, at).trim() === name
        ? [
            decoded(
              pair
                .slice(at + 1)
                .trim()
                .replace(/^"(.*)"$/, '$1'),
            ),
          ]
        : [];
    });
    return values.length > 0 ? theOnly(values) : undefined;
  };
}

/**
 * The tenant id at a path of a message's payload, such as `tenant` or `meta.tenant`: for TCP, Redis and MQTT, whose messages
 * have no headers, and for WebSockets. HTTP requests have none there.
 * @throws PolyMongoOptionsError when the path names no field
 */
export function fromPayload(path: string): TenantResolver {
  const keys = pathOf(path);
  return ({ data }) => valueAt(data, keys) as string | undefined; // another type is refused as malformed
}

/**
 * The tenant id as a claim of the verified token, which an authentication guard has left in `request.user`. Asked after
 * the guards.
 */
export function fromClaim(name: string): TenantResolver {
  checkValue('name of fromClaim(name)', name, checks.string);
  return afterGuards(({ user }: TenantRequest) => {
    return typeof user === 'object' && user !== null && Object.hasOwn(user, name)
      ? (user as Record<string, string>)[name]
      : undefined;
  });
}

/** Has a resolver asked after the guards, where it sees what they found out. Until then the request has no tenant. */
export function afterGuards<R>(resolver: TenantResolver<R>): TenantResolver<R> {
  checkValue('resolver of afterGuards(resolver)', resolver, checks.function);
  return Object.assign((...args: Parameters<TenantResolver<R>>) => resolver(...args), { runsAfterGuards: true });
}

/** All values of a header, as they were sent. */
function valuesOf({ rawHeaders, raw }: TenantRequest, key: string): readonly string[] | undefined {
  const lines = rawHeaders ?? raw?.rawHeaders;
  return lines?.filter((_, i) => i % 2 === 1 && lines[i - 1]!.toLowerCase() === key);
}

function theOnly(values: readonly string[]): string {
  if (values.some((value) => value !== values[0])) throw new TenantConflictError();
  return values[0]!;
}

/** A malformed escape is left as it is; no tenant id has one. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function hostOf({ headers, hostname }: TenantRequest): string {
  const host = (hostname ?? String(headers['host'] ?? '')).toLowerCase();
  return host.startsWith('[') ? host : host.replace(/:\d+$/, '').replace(/\.$/, ''); // a dot ends a complete name
}
