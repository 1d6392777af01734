import { describe, expect, it } from '@jest/globals';
import { resolveTenantOptions, type TenantOptions } from '../../../lib/polymongo.tenant-options.js';
import { TenantContext } from '../../../lib/providers/tenant/tenant.context.js';
import { TenantDatabases } from '../../../lib/providers/tenant/tenant.databases.js';
import {
  InvalidTenantIdError,
  TenantDatabaseTakenError,
  TenantError,
} from '../../../lib/providers/tenant/tenant.errors.js';
import { mulberry32 } from '../../support/random.js';
import { printedSeed } from '../../support/seed.js';
import { isOneDatabase, MAPPINGS, randomId, randomUnicodeId } from '../../support/tenant-mappings.js';

const SEED = printedSeed('ids and their databases');
const ANY = /^[\w-]+$/;

function databasesOf(tenant: TenantOptions): TenantDatabases {
  const options = resolveTenantOptions({ pattern: ANY, ...tenant });
  return new TenantDatabases(options, new TenantContext(options), 'default');
}

describe('TenantDatabases', () => {
  it.each(Object.entries(MAPPINGS))(
    `gives no two ids the same database, however they are mapped: %s`,
    (_, database) => {
      const random = mulberry32(SEED);
      const databases = databasesOf({ database });
      const owners = new Map<string, string>();
      for (let i = 0; i < 600; i++) {
        const id = randomId(random);
        let name: string;
        try {
          name = databases.of(id);
        } catch (error) {
          expect(error).toBeInstanceOf(TenantError);
          expect(error).toMatchObject({ status: 400, statusCode: 400 });
          const owner = owners.get(database(id).toLowerCase());
          if (error instanceof InvalidTenantIdError) expect(database(id).length).toBeGreaterThan(63);
          else expect(owner === undefined || owner === id).toBe(false);
          continue;
        }
        expect(name).toBe(database(id));
        expect(owners.get(name.toLowerCase()) ?? id).toBe(id);
        owners.set(name.toLowerCase(), id);
        expect(databases.tenantOf(name)).toBe(id);
      }
    },
  );

  it.each(Object.entries(MAPPINGS))(
    `gives no two ids beyond ASCII a database that MongoDB takes for the same, and others their own: %s`,
    (_, database) => {
      const random = mulberry32(SEED);
      const databases = databasesOf({ database, pattern: /^[^/\\. "$*<>:|?\0]+$/s });
      const names = new Map<string, string>();
      for (let i = 0; i < 400; i++) {
        const id = randomUnicodeId(random);
        const wanted = database(id);
        const sharing = [...names].filter(([other, name]) => other !== id && isOneDatabase(name, wanted));
        let given: string | undefined;
        try {
          given = databases.of(id);
        } catch (error) {
          expect(error).toMatchObject({ status: 400, statusCode: 400 });
          const isPossible =
            ![id, wanted].some((name) => /\p{Surrogate}/u.test(name)) && Buffer.byteLength(wanted) <= 63;
          const isTaken = error instanceof TenantDatabaseTakenError;
          expect({ id, isTaken, isPossible }).toEqual({ id, isTaken: isPossible && sharing.length > 0, isPossible });
          continue;
        }
        expect({ id, given, sharing }).toEqual({ id, given: wanted, sharing: [] });
        expect(Buffer.byteLength(given)).toBeLessThanOrEqual(63);
        names.set(id, given);
      }
      expect(names.size).toBeGreaterThan(0);
    },
  );

  it('remembers an owner longer than ten thousand others are seen', () => {
    const databases = databasesOf({ database: MAPPINGS.lowerCase! });
    databases.of('acme');
    for (let i = 0; i < 20_000; i++) databases.of(`other${i}`);
    expect(() => databases.of('ACME')).toThrow(TenantDatabaseTakenError);
  });

  it('lets an id that nobody knows keep no database from its tenant', () => {
    const databases = databasesOf({ database: MAPPINGS.lowerCase!, exists: (id) => id === 'acme' });
    expect(databases.of('ACME')).toBe('t_acme');
    expect(databases.of('acme')).toBe('t_acme');
    databases.admit('acme');
    databases.release('ACME'); // exists said no
    expect(databases.tenantOf('t_acme')).toBe('acme');
    expect(() => databases.of('ACME')).toThrow(TenantDatabaseTakenError);
    databases.release('acme');
    expect(databases.of('ACME')).toBe('t_acme');
  });
});
