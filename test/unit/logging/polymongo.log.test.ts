import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ConsoleLogger, Logger } from '@nestjs/common';
import mongoose from 'mongoose';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PolyMongoWrapper } from '../../../lib/polymongo.wrapper.js';
import { createNestSink, createSink } from '../../../lib/providers/logging/log.sink.js';
import { PolyMongoLog } from '../../../lib/providers/logging/polymongo.log.js';
import { InvalidTenantIdError, TenantMissingError } from '../../../lib/providers/tenant/tenant.errors.js';
import { waitFor } from '../../support/wait-for.js';
import { turns } from '../../support/turns.js';

const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

it('log files are readable by nobody else, those of earlier versions neither', async () => {
  const logPath = mkdtempSync(join(tmpdir(), 'polymongo-log-'));
  folders.push(logPath);
  for (const name of ['polymongo.log', 'polymongo1.log', 'other.txt'])
    writeFileSync(join(logPath, name), '', { mode: 0o644 });
  jest.spyOn(console, 'log').mockImplementation(() => {});
  for (const folder of [logPath, join(logPath, 'new')]) {
    const sink = createSink({ debug: true, logPath: folder });
    sink.write('info', 'hello', {});
    await waitFor(() => statSync(join(folder, 'polymongo.log')).size > 0);
    sink.close();
    expect(statSync(join(folder, 'polymongo.log')).mode & 0o777).toBe(0o600);
  }
  jest.restoreAllMocks();
  expect(statSync(join(logPath, 'polymongo1.log')).mode & 0o777).toBe(0o600);
  expect(statSync(join(logPath, 'other.txt')).mode & 0o777).toBe(0o644);
});

it('lines for Nest are under the name of their root', () => {
  const told: unknown[] = [];
  const tell = (...line: unknown[]) => void told.push(line);
  Logger.overrideLogger({ log: tell, warn: tell, error: tell });
  createSink({ debug: false, logPath: '' }).write('warn', 'one', {});
  createSink({ name: 'audit', debug: false, logPath: '' }).write('warn', 'two', {});
  Logger.overrideLogger(new ConsoleLogger());
  expect(told).toEqual([
    ['one', 'PolyMongo'],
    ['two', 'PolyMongo audit'],
  ]);
});

it('five log files of 5 MB are kept', async () => {
  const logPath = mkdtempSync(join(tmpdir(), 'polymongo-log-'));
  folders.push(logPath);
  jest.spyOn(process.stdout, 'write').mockImplementation(() => true);
  const sink = createSink({ debug: true, logPath });
  const megabyte = 'x'.repeat(2 ** 20);
  for (let i = 0; i < 35; i++) {
    sink.write('info', megabyte, { i });
    await turns(5);
  }
  await waitFor(() => readdirSync(logPath).length === 5);
  sink.close();
  jest.restoreAllMocks();
  for (const file of readdirSync(logPath)) expect(statSync(join(logPath, file)).size).toBeLessThan(7 * 2 ** 20);
});

describe('what fails with a document in its message', () => {
  it.each<[string, Error, string]>([
    [
      'a duplicate key',
      new mongoose.mongo.MongoServerError({
        message: 'E11000 duplicate key error collection: shop.users index: email_1 dup key: { email: "ada@x.org" }',
        code: 11000,
      }),
      'MongoServerError: E11000 duplicate key error collection: shop.users index: email_1 dup key: { … }',
    ],
    [
      'a validation',
      new (mongoose.model('Secretive', new mongoose.Schema({ age: Number })))({ age: 'ada@x.org' }).validateSync()!,
      'ValidationError: age',
    ],
    ['a cast', new mongoose.Error.CastError('Number', 'ada@x.org', 'age'), 'CastError: age'],
  ])('is logged without it: %s', (_, error, text) => {
    const heard: string[] = [];
    const polymongo = new PolyMongoWrapper({ mongoURI: 'mongodb://127.0.0.1:1/', handleSignals: false });
    new PolyMongoLog(polymongo.pools, { write: (_level, message) => void heard.push(message), close: () => {} });
    polymongo.pools.events.emit('error', { db: 'shop', error, during: 'on connect hook' });
    expect(heard).toEqual([text]);
  });
});

it.each([
  ['connect ECONNREFUSED 127.0.0.1:27017', 'connect ECONNREFUSED 127.0.0.1:27017'],
  [undefined, 'no answer yet'],
])('a server that is not there is a warning, with what to do: %s', (reason, text) => {
  const heard: string[] = [];
  const polymongo = new PolyMongoWrapper({ mongoURI: 'mongodb://127.0.0.1:1/', handleSignals: false });
  new PolyMongoLog(polymongo.pools, { write: (level, message) => void heard.push(level, message), close: () => {} });
  const uri = 'mongodb://127.0.0.1:27017';
  polymongo.pools.events.emit('connectDelayed', { pool: 'default', uri, ...(reason && { reason }) });
  expect(heard[0]).toBe('warn');
  expect(heard[1]).toContain(`Pool default waits for a MongoDB at ${uri}: ${text}.`);
  expect(heard[1]).toMatch(/embedded-mongo.*mongoURI.*coldStart: false/);
});

it('a client that is refused is one line of the debug log, without a stack', () => {
  const heard: unknown[] = [];
  const polymongo = new PolyMongoWrapper({ mongoURI: 'mongodb://127.0.0.1:1/', handleSignals: false });
  new PolyMongoLog(polymongo.pools, { write: (...line) => void heard.push(line), close: () => {} });
  expect(() => polymongo.tenantContext.require()).toThrow(TenantMissingError);
  polymongo.tenantContext.tellRefusal(new InvalidTenantIdError('/^[a-z]+$/'));
  const line = (text: string): unknown => ['debug', expect.stringMatching(text), {}];
  expect(heard).toEqual([line('^TenantMissingError: No tenant: [^\\n]*$'), line('^InvalidTenantIdError: [^\\n]*$')]);
});

describe("Nest's logger", () => {
  it('hears of warnings and errors only, redacted', () => {
    const heard: string[] = [];
    const sink = createNestSink({
      warn: (text: string) => heard.push(`warn ${text}`),
      error: (text: string) => heard.push(`error ${text}`),
    } as never);
    sink.write('info', 'pool connected', { pool: 'a' });
    sink.write('warn', 'pool closed', { pool: 'a', reason: undefined });
    sink.write('error', 'failed at mongodb://u:p@host', { database: 'a' });
    expect(heard).toEqual(['warn pool closed pool=a', 'error failed at mongodb://***:***@host database=a']);
  });
});
