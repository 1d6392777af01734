import type { TenantRequest, TenantResolver } from '../../polymongo.tenant-options.js';

/** The tenant id in a request header. */
export function fromHeader(name: string): TenantResolver {
  const key = name.toLowerCase();
  return ({ headers }) => {
    const value = headers[key];
    return Array.isArray(value) ? value.join(',') : value; // two of them are never a well-formed id
  };
}

/**
 * The tenant id as the first label of the host name: `acme` of `acme.example.com`.
 * @param options `baseDomain`: only hosts right below it name a tenant ('example.com')
 */
export function fromSubdomain({ baseDomain }: { baseDomain?: string } = {}): TenantResolver {
  const suffix = baseDomain && `.${baseDomain.toLowerCase()}`;
  return (request) => {
    const host = hostOf(request);
    if (suffix) return host.endsWith(suffix) && host.length > suffix.length ? host.slice(0, -suffix.length) : undefined;
    if (/^[\d.]+$|:/.test(host)) return undefined; // an address has no subdomain
    const labels = host.split('.');
    return labels.length > (labels.at(-1) === 'localhost' ? 1 : 2) ? labels[0] : undefined;
  };
}

function hostOf({ headers }: TenantRequest): string {
  const host = String(headers['host'] ?? '').toLowerCase();
  return host.startsWith('[') ? host : host.replace(/:\d+$/, '');
}
