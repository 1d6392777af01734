import { describe, expect, it } from '@jest/globals';
import { PolyMongoOptionsError } from '../../../lib/polymongo.errors.js';
import { TenantConflictError, type TenantRequest } from '../../../lib/index.js';
import { AmbiguousPathError, fromClaim, fromCookie, fromHeader, fromPath, fromSubdomain } from '../../../lib/index.js';

const request = (part: Partial<TenantRequest>): TenantRequest => ({ headers: {}, ...part });

describe('fromHeader', () => {
  const resolve = fromHeader('X-Tenant-Id');

  it('reads the header whatever its case, and undefined without it', () => {
    expect(resolve(request({ headers: { 'x-tenant-id': 'acme' } }))).toBe('acme');
    expect(resolve(request({}))).toBeUndefined();
  });

  it('takes an empty header as an answer, not as none', () => {
    expect(resolve(request({ headers: { 'x-tenant-id': '' } }))).toBe('');
  });

  it.each([
    ['that agree', 'acme', 'acme'],
    ['that disagree', 'globex', undefined],
  ])('with duplicates %s', (_, second, expected) => {
    const twice = request({
      headers: { 'x-tenant-id': `acme, ${second}` },
      rawHeaders: ['X-Tenant-Id', 'acme', 'Host', 'a', 'x-tenant-ID', second],
    });
    if (expected === undefined) expect(() => resolve(twice)).toThrow(TenantConflictError);
    else expect(resolve(twice)).toBe(expected);
  });
});

describe('fromSubdomain', () => {
  it.each([
    ['acme.example.com', 'acme'],
    ['ACME.example.com:8080', 'acme'],
    ['example.com', undefined],
    ['acme.localhost:3000', 'acme'],
    ['localhost', undefined],
    ['127.0.0.1:3000', undefined],
    ['[::1]:3000', undefined],
    ['', undefined],
  ])('of %s is %s', (host, expected) => {
    expect(fromSubdomain()(request({ headers: { host } }))).toBe(expected);
  });

  it('with a base domain is what stands before it, and nothing elsewhere', () => {
    const resolve = fromSubdomain({ baseDomain: 'example.co.uk' });
    expect(resolve(request({ hostname: 'acme.example.co.uk' }))).toBe('acme');
    expect(resolve(request({ hostname: 'a.b.example.co.uk' }))).toBe('a.b'); // no tenant id; refused later
    expect(resolve(request({ hostname: 'example.co.uk' }))).toBeUndefined();
    expect(resolve(request({ hostname: 'acme.evil.com' }))).toBeUndefined();
    expect(resolve(request({ hostname: 'acmeexample.co.uk' }))).toBeUndefined();
  });
});

describe('fromPath', () => {
  const resolve = fromPath('/shops/:tenant');

  it.each([
    ['/shops/acme', 'acme'],
    ['/shops/acme/orders?tenant=globex', 'acme'],
    ['/shops/a%20b', 'a b'],
    ['/shops/%zz', '%zz'],
    ['/shops/', undefined],
    ['/shops', undefined],
    ['/other/acme', undefined],
    ['//shops/acme', 'acme'],
    ['/SHOPS/acme', 'acme'],
    ['/%73hops/%61cme', 'acme'],
    ['http://example.com/shops/acme?x', 'acme'],
    ['HTTPS://example.com:80/shops/acme', 'acme'],
    ['http://[::1]:80/shops/acme', 'acme'],
    ['/shops/acme?path=a\\b&mail=a@b', 'acme'],
    ['/caf\u00c3\u00a9', undefined],
    ['/shops/ACME', 'ACME'],
  ])('of %s is %s', (url, expected) => {
    expect(resolve(request({ url }))).toBe(expected);
  });

  it.each(['/a#b', '/a\\b', '//user@host/a', 'http://user@host/a', 'http://host;a', 'http://h%2fa'])(
    'refuses what routers read differently: %s',
    (url) => {
      expect(() => resolve(request({ url }))).toThrow(AmbiguousPathError);
    },
  );

  it('looks at the address before a mounted router changed it', () => {
    expect(resolve(request({ originalUrl: '/shops/acme', url: '/acme' }))).toBe('acme');
  });

  it('refuses a template without a parameter', () => {
    expect(() => fromPath('/shops')).toThrow(PolyMongoOptionsError);
  });
});

describe('fromCookie', () => {
  const resolve = fromCookie('tenant');

  it.each([
    ['tenant=acme', 'acme'],
    ['a=b; tenant=acme; c=d', 'acme'],
    ['tenant="acme"', 'acme'],
    ['tenant=a%2Fb', 'a/b'],
    ['xtenant=acme', undefined],
    ['tenant=acme; tenant=acme', 'acme'],
    ['', undefined],
  ])('of %s is %s', (cookie, expected) => {
    expect(resolve(request({ headers: { cookie } }))).toBe(expected);
  });

  it('refuses two that disagree', () => {
    expect(() => resolve(request({ headers: { cookie: 'tenant=a; tenant=b' } }))).toThrow(TenantConflictError);
  });
});

describe('fromClaim', () => {
  const resolve = fromClaim('tenant');

  it('reads an own claim of the verified user, after the guards', () => {
    expect(resolve.runsAfterGuards).toBe(true);
    expect(resolve(request({ user: { tenant: 'acme' } }))).toBe('acme');
    expect(resolve(request({}))).toBeUndefined();
    expect(resolve(request({ user: { sub: 1 } }))).toBeUndefined();
    expect(fromClaim('constructor')(request({ user: {} }))).toBeUndefined();
  });
});
