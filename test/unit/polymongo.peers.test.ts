import { expect, it } from '@jest/globals';
import { loadPeer, PeerMissingError } from '../../lib/polymongo.peers.js';

const load = (code: string, message: string) =>
  loadPeer('prom-client', 'nestjs-polymongo/prometheus', () =>
    Promise.reject(Object.assign(new Error(message), { code })),
  );

it.each([
  ['ERR_MODULE_NOT_FOUND', "Cannot find package 'prom-client' imported from /app/index.js"],
  ['MODULE_NOT_FOUND', "Cannot find module 'prom-client'\nRequire stack:\n- /app/index.js"],
])('a package that is not installed is named with what installs it: %s', async (code, message) => {
  const error = await load(code, message).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(PeerMissingError);
  expect(error).toMatchObject({
    message:
      'nestjs-polymongo/prometheus needs the package prom-client, which is not installed: npm install prom-client',
    peer: 'prom-client',
    command: 'npm install prom-client',
  });
});

it('what the package itself lacks is told as it is', async () => {
  await expect(load('MODULE_NOT_FOUND', "Cannot find module 'tdigest'")).rejects.toThrow("'tdigest'");
});
