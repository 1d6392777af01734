import { describe, expect, it } from '@jest/globals';
import { resolveOptions, type PolyMongoOptions } from '../../lib/polymongo.options.js';
import { resolveScaleOptions } from '../../lib/polymongo.pool-options.js';
import { InvalidDatabaseNameError, PolyMongoOptionsError } from '../../lib/polymongo.errors.js';

const mongoURI = 'mongodb://localhost:27017';
const resolve = (options: object) => resolveOptions(options as PolyMongoOptions);

describe('resolveOptions', () => {
  it("fills in the seed's defaults", () => {
    expect(resolve({ mongoURI })).toMatchObject({
      mongoURI,
      defaultDB: 'default',
      maxPoolSize: 10,
      minFreeConnections: 0,
      idleTimeoutMS: undefined,
      debug: false,
      logPath: './logs/Polymongo',
      coldStart: true,
      dbSpecific: [],
      retry: { attempts: 1, delayMS: 0 },
      shutdownTimeoutMS: 10_000,
      waitQueueTimeoutMS: 10_000,
      maxTotalConnections: Infinity,
      handleSignals: true,
      maxCachedDatabases: Infinity,
      autoIndex: undefined,
      autoCreate: undefined,
      autoSearchIndex: undefined,
    });
  });

  it('freezes what it gives, all the way down', () => {
    const options = resolve({ mongoURI, dbSpecific: [{ dbName: 'a', options: {} }] });
    for (const part of [
      options,
      options.primary,
      options.dbSpecific,
      options.dbSpecific[0],
      options.retry,
      options.tenant,
      options.driverOptions,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it('lets the URI win over defaults and an explicit option win over the URI', () => {
    const uri = 'mongodb://u:p@a:1,b:2/shop?maxPoolSize=7&waitQueueTimeoutMS=55';
    expect(resolve({ mongoURI: uri })).toMatchObject({ defaultDB: 'shop', maxPoolSize: 7, waitQueueTimeoutMS: 55 });
    expect(resolve({ mongoURI: uri, maxPoolSize: 3, defaultDB: 'x' })).toMatchObject({
      defaultDB: 'x',
      maxPoolSize: 3,
    });
    expect(resolve({ mongoURI: uri, driverOptions: { maxPoolSize: 4 } })).toMatchObject({ maxPoolSize: 4 });
  });

  it('gives a database its own values where it names them and the global ones elsewhere', () => {
    const { dbSpecific } = resolve({
      mongoURI,
      maxPoolSize: 20,
      coldStart: false,
      dbSpecific: [
        { dbName: 'a', mongoURI: 'mongodb://elsewhere', options: { maxConnections: 2, ttl: 5, autoClose: true } },
        { dbName: 'b', options: {} },
      ],
    });
    expect(dbSpecific[0]).toMatchObject({
      mongoURI: 'mongodb://elsewhere',
      maxConnections: 2,
      minConnections: 0,
      ttl: 5,
      autoClose: true,
      coldStart: false,
    });
    expect(dbSpecific[1]).toMatchObject({
      mongoURI,
      maxConnections: 20,
      ttl: 600_000,
      autoClose: false,
      coldStart: false,
    });
  });

  it.each([
    ['nothing', undefined, /options must be an object/],
    ['no mongoURI', {}, /^mongoURI is required/],
    ['an empty mongoURI', { mongoURI: '' }, /^mongoURI is required/],
    [
      'a URI of another protocol',
      { mongoURI: 'http://user:secret@host' },
      /^mongoURI must be a connection string that begins with 'mongodb:\/\/'/,
    ],
    ['a mongoURI that is no string', { mongoURI: 5 }, /^mongoURI must be .* not the number 5/],
    ['a misspelt option', { mongoURI, maxpoolsize: 5 }, /^Unknown option maxpoolsize\. Did you mean maxPoolSize\?/],
    ['an unknown option', { mongoURI, poolSize: 5 }, /^Unknown option poolSize\. Known are: mongoURI/],
    [
      'a pool of no sockets',
      { mongoURI, maxPoolSize: 0 },
      /^maxPoolSize must be a whole number of at least 1, not the number 0/,
    ],
    [
      'a pool size in words',
      { mongoURI, maxPoolSize: 'ten' },
      /^maxPoolSize must be a whole number .* not the string "ten"/,
    ],
    ['a negative duration', { mongoURI, shutdownTimeoutMS: -1 }, /^shutdownTimeoutMS must be a number of milliseconds/],
    ['a truthy flag', { mongoURI, debug: 1 }, /^debug must be true or false/],
    ['dbSpecific as an object', { mongoURI, dbSpecific: {} }, /^dbSpecific must be an array, not an object/],
    [
      'a dbSpecific entry without a name',
      { mongoURI, dbSpecific: [{ options: {} }] },
      /^dbSpecific\[0\]\.dbName must be a non-empty string, not undefined/,
    ],
    ['a dbSpecific entry that is a string', { mongoURI, dbSpecific: ['a'] }, /^dbSpecific\[0\] must be an object/],
    [
      'a wrong value in an entry',
      { mongoURI, dbSpecific: [{ dbName: 'a', options: { ttl: 'x' } }] },
      /^dbSpecific\[0\]\.options\.ttl must be a number of milliseconds/,
    ],
    [
      'a database named twice',
      { mongoURI, dbSpecific: [{ dbName: 'a' }, { dbName: 'A' }] },
      /^dbSpecific names the database "A" twice/,
    ],
    [
      'minimum above maximum',
      { mongoURI, minFreeConnections: 11 },
      /^minFreeConnections \(11\) must not be above maxPoolSize \(10\)/,
    ],
    [
      'a pool above the budget',
      { mongoURI, maxTotalConnections: 5 },
      /^maxPoolSize \(10\) must not be above maxTotalConnections \(5\)/,
    ],
    [
      'a pool without a bound under a budget',
      { mongoURI: `${mongoURI}/?maxPoolSize=0`, maxTotalConnections: 5 },
      /^maxPoolSize \(0, no bound\) must not be above maxTotalConnections \(5\)/,
    ],
    ['retry without a delay', { mongoURI, retry: { attempts: 3 } }, /^retry\.delayMS must be a number of milliseconds/],
    [
      'a tenant resolver that is a string',
      { mongoURI, tenant: { resolve: 'x-tenant-id' } },
      /^tenant\.resolve must be a function of the request/,
    ],
  ])('refuses %s', (_, options, message) => {
    expect(() => resolve(options as object)).toThrow(PolyMongoOptionsError);
    expect(() => resolve(options as object)).toThrow(message);
  });

  it('never repeats a connection string in an error', () => {
    expect(() => resolve({ mongoURI: 'http://user:secret@host' })).not.toThrow(/secret/);
  });

  it('refuses database names that MongoDB refuses', () => {
    expect(() => resolve({ mongoURI, defaultDB: 'a b' })).toThrow(InvalidDatabaseNameError);
    expect(() => resolveScaleOptions(resolve({ mongoURI }), 'x'.repeat(64))).toThrow(/longer than 63 bytes/);
  });
});
