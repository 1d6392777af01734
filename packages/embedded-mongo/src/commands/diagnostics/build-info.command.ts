import type { Command } from '../command.js';
import { MAX_BSON_SIZE } from '../handshake/limits.js';
import { fieldsOf, int, reply } from '../reply.js';

/** The MongoDB whose behaviour is followed. */
export const VERSION = '7.0.14';

export const buildInfo: Command = {
  name: 'buildInfo',
  aliases: ['buildinfo'],
  isAuthFree: true,
  isLenient: true,
  args: {},
  run: () =>
    reply({
      version: VERSION,
      gitVersion: 'polymongo-embedded',
      modules: [],
      allocator: 'system',
      javascriptEngine: 'mozjs',
      sysInfo: 'deprecated',
      versionArray: [...VERSION.split('.').map((part) => int(Number(part))), int(0)],
      openssl: fieldsOf({ running: `OpenSSL ${process.versions.openssl}` }),
      buildEnvironment: fieldsOf({
        distmod: '',
        distarch: process.arch,
        target_arch: process.arch,
        target_os: process.platform,
      }),
      bits: int(64),
      debug: false,
      maxBsonObjectSize: int(MAX_BSON_SIZE),
      storageEngines: ['ephemeralForTest'],
    }),
};
