import { createServer, connect } from 'node:net';
import { lookup } from 'node:dns';
import { expect, it } from '@jest/globals';
import { VERSION } from '../../src/commands/diagnostics/build-info.command.js';
// @ts-expect-error -- Jest's globalSetup has no types
import { MONGOD_VERSION } from '../support/choose-server.mjs';

it('the mongod that tests may fetch is of the version whose words they assert', () => {
  expect(MONGOD_VERSION).toBe(VERSION);
});

/** Why the environment fails this test, taken from it. */
const refused = (): Error[] => (globalThis as unknown as { refused: Error[] }).refused.splice(0);

it.each<[string, string, () => unknown]>([
  ['listens', 'listen', () => createServer().listen(0)],
  ['connects', 'connect', () => connect(1, '127.0.0.1')],
  ['asks for an address', 'lookup', () => lookup('localhost', () => {})],
])('a unit test that %s fails, though it catches the error', (_, name, reach) => {
  expect(reach).toThrow(`${name}() in a unit test`);
  expect(refused()).toEqual([expect.objectContaining({ message: expect.stringContaining('belongs to test/e2e') })]);
});
