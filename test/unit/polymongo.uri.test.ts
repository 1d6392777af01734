import { describe, expect, it } from '@jest/globals';
import { hostsOf, parseMongoURI, redactURI, secretsInURI } from '../../lib/polymongo.uri.js';

describe('redactURI', () => {
  it.each([
    ['mongodb://user:p%40ss@host:27017/db', 'mongodb://***:***@host:27017/db'],
    [
      'mongodb+srv://user:secret@cluster.example.net/?w=majority',
      'mongodb+srv://***:***@cluster.example.net/?w=majority',
    ],
    ['mongodb://user:se@cret@a,b/db', 'mongodb://***:***@a,b/db'],
    ['mongodb://user@host/db', 'mongodb://***:***@host/db'],
    [
      'mongodb://host/?tls=true&tlsCertificateKeyFilePassword=hush',
      'mongodb://host/?tls=true&tlsCertificateKeyFilePassword=***',
    ],
    ['failed: mongodb://a:b@c and mongodb://d:e@f', 'failed: mongodb://***:***@c and mongodb://***:***@f'],
    ['mongodb://user:se/cret@host/db', 'mongodb://***:***@host/db'],
    ['mongodb://user:se?cret@host/db', 'mongodb://***:***@host/db'],
    ['mongodb://user:se?c/r@et@host/db', 'mongodb://***:***@host/db'],
    ['"mongodb://u:a"b \'c\td\n@h/db" failed', '"mongodb://***:***@h/db" failed'],
    ['mongodb failed: mongodb://u:p@h', 'mongodb failed: mongodb://***:***@h'],
    ['mongodb://u:pmongodb://q@h', 'mongodb://***:***@h'],
    ['mongodb://h/?proxyPassword=a b"&c@d', 'mongodb://***:***@'],
    ['mongodb://u:p@h/?proxyPassword=a b"&c', 'mongodb://***:***@h/?proxyPassword=***'],
    ['mongodb://***:***@h/?proxyPassword=***: x@y', 'mongodb://***:***@h/?proxyPassword=***: x@y'],
    ['mongodb://us:p@h/?sslPass=CANARY', 'mongodb://***:***@h/?sslPass=***'],
    ['mongodb://h/?tls=true&SSLKEY=CANARY&a=b', 'mongodb://h/?tls=true&SSLKEY=***'],
    ['mongodb://h/?AWS_SESSION_TOKEN=CANARY', 'mongodb://h/?AWS_SESSION_TOKEN=***'],
    ['mongodb://h/?proxy%50assword=CANARY', 'mongodb://h/?proxy%50assword=***'],
    ['mongodb://host:27017/db?authSource=a&tlsCAFile=k', 'mongodb://host:27017/db?authSource=a&tlsCAFile=k'],
    ['mongodb://host:27017/db?appName=a', 'mongodb://host:27017/db?appName=a'],
  ])('takes the credentials out of %s', (uri, redacted) => {
    expect(redactURI(uri)).toBe(redacted);
  });
});

describe('secretsInURI', () => {
  const NAMES = [
    'sslPass',
    'sslKey',
    'sslCert',
    'passphrase',
    'pfx',
    'key',
    'cert',
    'password',
    'username',
    'secureContext',
  ];
  it.each([
    ...NAMES,
    'tlsCertificateKeyFilePassword',
    'proxyUsername',
    'AWS_SESSION_TOKEN',
    'auth',
    'autoEncryption',
    'ssl%50ass',
  ])('finds the value of %s, as hidden as in driverOptions', (name) => {
    expect(secretsInURI(`mongodb://h/?w=1&${name}=CANARY`)).toContain('CANARY');
    expect(redactURI(`mongodb://h/?w=1&${name}=CANARY`)).not.toContain('CANARY');
  });
});

describe('hostsOf', () => {
  it.each([
    ['mongodb://user:p%40ss@a:1,b:2/db?replicaSet=rs0', 'a:1,b:2'],
    ['mongodb+srv://user:secret@cluster.example.net', 'cluster.example.net'],
    ['mongodb://host?w=1', 'host'],
    ['mongodb://user:se?c/r@et@host/db', 'host'],
    ['mongodb://h/?proxyPassword=a@b', ''],
  ])('of %s is what stands between credentials and path', (uri, hosts) => {
    expect(hostsOf(uri)).toBe(hosts);
  });
});

describe('parseMongoURI', () => {
  it('reads the database and the options of a multi-host URI', () => {
    const { dbName, options } = parseMongoURI('mongodb://u:p@a:1,b:2/my%20db?replicaSet=rs0&MaxPoolSize=5');
    expect(dbName).toBe('my db');
    expect(Object.fromEntries(options)).toEqual({ replicaset: 'rs0', maxpoolsize: '5' });
  });

  it('finds no database where none is named', () => {
    expect(parseMongoURI('mongodb://a:1').dbName).toBe('');
    expect(parseMongoURI('mongodb://a:1/?w=1').dbName).toBe('');
  });
});

describe('a secret that looks like a URI itself', () => {
  it('goes to the last @, however many there are in it', () => {
    const uri = 'mongodb://CANARY1:CANARY2@CANARY3***CANARY4mongodb://CANARY5@host:1/shop';
    expect(redactURI(uri)).toBe('mongodb://***:***@host:1/shop');
    expect(redactURI(`${redactURI(uri)} mongodb://u:CANARY@other`)).not.toContain('CANARY');
  });

  it('leaves two URIs beside each other two', () => {
    const text = 'mongodb://u:CANARY@one/a, mongodb://u:CANARY@two/b';
    expect(redactURI(text)).toBe('mongodb://***:***@one/a, mongodb://***:***@two/b');
  });

  it('is known by each of its parts, also where a URL would leave its line breaks out', () => {
    expect(secretsInURI('mongodb://h/?sslPass=a&CANARY1\nCANARY2$&b')).toEqual(
      expect.arrayContaining(['CANARY1', 'CANARY2$']),
    );
  });
});

it('takes no part of a password with a / in it for the name of a database', () => {
  expect(parseMongoURI('mongodb://user:one/two%0Athree?four@host/shop').dbName).toBe('');
});
