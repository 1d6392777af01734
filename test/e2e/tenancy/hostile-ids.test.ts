import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Logger, type INestApplication } from '@nestjs/common';
import {
  fromHeader,
  InjectTenantModel,
  InvalidDatabaseNameError,
  InvalidTenantIdError,
  PolyMongoTenants,
  TenantContext,
  TenantError,
  type TenantModel,
} from 'nestjs-polymongo';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { startHttpApp } from '../../support/http-app.js';
import { Note, notesModules } from '../../support/notes.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

const MARK = 'HoStiLe';
const PARTS = [
  '../',
  '..\\',
  '/',
  '\\',
  '.',
  '\0',
  '\n',
  '\r\n',
  '\t',
  ' ',
  '"',
  "'",
  '$',
  '*',
  '<',
  '>',
  ':',
  '|',
  '?',
  '%00',
  '%2e%2e%2f',
  '\u202e',
  '\u200b',
  '\ufeff',
  '\u0430',
  '\u212a',
  'ß',
  'ı',
  '\ud800',
  '💥',
  '${jndi:ldap://x}',
  '{{7*7}}',
  '`id`',
  ';drop',
  '@host',
  '#',
  '&',
  '=',
  '+',
  ',',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  '~',
  '^',
  '!',
];
/** 1,000 strings that are no tenant's: every part before, after and inside of an id, alone and repeated. */
const STRINGS: string[] = [
  '',
  '-',
  '_a',
  '-a',
  'A',
  'Admin',
  '__proto__',
  'hasOwnProperty',
  'toString',
  'a'.repeat(57),
  'a'.repeat(10_000_000),
  ...PARTS.flatMap((part) => [
    part,
    `${part}acme`,
    `acme${part}`,
    `ac${part}me`,
    part.repeat(3),
    `${part}${MARK}`,
    `${MARK}${part}`,
  ]),
];
for (let i = 0; STRINGS.length < 960; i++) STRINGS.push(`${MARK}${PARTS[i % PARTS.length]}${i}`);
const OTHERS: unknown[] = [
  null,
  undefined,
  0,
  1,
  NaN,
  -0,
  1n,
  true,
  false,
  Symbol('acme'),
  () => 'acme',
  [],
  ['acme'],
  [['acme']],
  {},
  { $where: 'sleep(1)' },
  { $gt: '' },
  { toString: () => 'acme' },
  { valueOf: () => 'acme' },
  { length: 4 },
  Object.create(null),
  new String('acme'),
  new Date(),
  /acme/,
  new Map(),
  new Set(['acme']),
  Buffer.from('acme'),
  new Uint8Array(4),
  new Error('acme'),
  Promise.resolve('acme'),
  new Proxy({}, {}),
  Object.assign(() => {}, { id: 'acme' }),
  class {},
  { id: 'acme' },
  ['acme', 'globex'],
  { 0: 'a' },
  [null],
  { constructor: { prototype: {} } },
  JSON.parse('{"__proto__": "acme"}'),
  globalThis,
];

@Controller()
class NotesController {
  constructor(@InjectTenantModel(Note.name) readonly notes: TenantModel<Note>) {}
  @Get()
  async count() {
    return this.notes.countDocuments();
  }
}

describe('hostile tenant ids', () => {
  let server: TestServer;
  let app: INestApplication;
  const lines: string[] = [];

  beforeAll(async () => {
    server = await startTestServer();
    app = await startHttpApp({
      imports: notesModules(server.uri, { resolve: fromHeader('x-tenant-id') }),
      controllers: [NotesController],
    });
    const keep = (...parts: unknown[]) =>
      void lines.push(parts.map((part) => (part instanceof Error ? part.stack : String(part))).join(' '));
    Logger.overrideLogger(['log', 'error', 'warn', 'debug', 'verbose', 'fatal']);
    Logger.overrideLogger({ log: keep, error: keep, warn: keep, debug: keep, verbose: keep });
  });
  afterAll(async () => {
    Logger.overrideLogger(false);
    await app?.close();
    await server?.stop();
  });

  it('are a thousand', () => {
    expect(STRINGS.length + OTHERS.length).toBeGreaterThanOrEqual(1000);
    expect(new Set(STRINGS).size).toBe(STRINGS.length);
  });

  it('are each refused with 400 by every way in, without being repeated', async () => {
    const context = app.get(TenantContext);
    const tenants = app.get(PolyMongoTenants);
    const before = await tenants.list();
    for (const id of [...STRINGS, ...OTHERS] as string[]) {
      let error: unknown;
      try {
        context.run(id, () => expect('the function').toBe('never called'));
      } catch (caught) {
        error = caught;
      }
      expect(error).toBeInstanceOf(InvalidTenantIdError);
      expect(error).toMatchObject({ status: 400, statusCode: 400 });
      expect((error as TenantError).message).not.toContain(MARK);
      expect((error as TenantError).message.length).toBeLessThan(200);
    }
    for (const id of [...STRINGS.slice(0, 40), ...OTHERS] as string[]) {
      await expect(tenants.run(id, () => 1)).rejects.toThrow(InvalidTenantIdError);
      await expect(tenants.provision(id)).rejects.toThrow(InvalidTenantIdError);
      await expect(tenants.deprovision(id, { confirm: id })).rejects.toThrow(InvalidTenantIdError);
    }
    expect(await tenants.list()).toEqual(before);
  });

  it('get 400 over HTTP, and nothing of them is in the answer or a log line', async () => {
    const { port } = app.getHttpServer().address() as AddressInfo;
    const sendable = STRINGS.filter((id) => !/[\r\n\0]/.test(id) && id.length < 8000);
    for (const id of sendable) {
      const answer = await raw(port, id);
      if (/^[\t ]*acme[\t ]*$/.test(id)) continue; // HTTP takes blanks around a value away
      expect(answer.split(' ')[1]).toBe('400');
      expect(answer).not.toContain(MARK);
    }
    new Logger('test').error('is kept');
    expect(lines).toContainEqual(expect.stringContaining('is kept'));
    expect(lines.join('\n')).not.toContain(MARK);
  });

  it('cannot name a database of the server, or one that MongoDB refuses, whatever the pattern lets through', async () => {
    const anything = await startHttpApp({
      imports: notesModules(server.uri, { pattern: /^[^]+$/, database: (id) => id }),
      controllers: [NotesController],
    });
    const tenants = anything.get(PolyMongoTenants);
    for (const id of ['admin', 'local', 'config', 'ADMIN', 'Config'])
      await expect(tenants.run(id, () => 1)).rejects.toThrow(InvalidTenantIdError);
    for (const id of ['a.b', 'a/b', 'a\0b', 'a b', 'a$b', 'é'.repeat(32)])
      await expect(tenants.run(id, () => 1)).rejects.toMatchObject({
        name: 'InvalidTenantIdError',
        status: 400,
        cause: expect.any(InvalidDatabaseNameError),
      });
    await anything.close();
  });

  it('are not ids that only look strange: those are ordinary tenants', async () => {
    const context = app.get(TenantContext);
    for (const id of ['constructor', 'tostring', 'admin', 'local', '0', 'null', 'undefined', 'a'.repeat(20)]) {
      expect(context.run(id, () => context.current())).toBe(id);
    }
  });
});

/** Sends a header byte for byte; HTTP clients refuse most of these themselves. */
function raw(port: number, id: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket
      .on('data', (chunk) => (answer += chunk))
      .once('close', () => resolve(answer))
      .once('error', reject);
    socket.write(`GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\nx-tenant-id: ${id}\r\n\r\n`);
  });
}
