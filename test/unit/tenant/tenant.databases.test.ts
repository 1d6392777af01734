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
import { MAPPINGS, randomId } from '../../support/tenant-mappings.js';

const SEED = Number(process.env.POLYMONGO_SEED ?? Math.floor(Math.random() * 1e9));
const ANY = /^[\w-]+$/;

function databasesOf(tenant: TenantOptions): TenantDatabases {
  const options = resolveTenantOptions({ pattern: ANY, ...tenant });
  return new TenantDatabases(options, new TenantContext(options), 'default');
}

describe('TenantDatabases', () => {
  it.each(Object.entries(MAPPINGS))(
    `gives no two ids the same database, however they are mapped: %s (POLYMONGO_SEED=${SEED})`,
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
