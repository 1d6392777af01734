#!/usr/bin/env node
import { createRequire } from 'node:module';
import { Interruption } from './cli.io.js';
import { runCli } from './cli.program.js';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupted.abort(new Interruption(`interrupted by ${signal}`))); // a second one ends the process
}
process.stdout.on(
  'error',
  (error: NodeJS.ErrnoException) =>
    interrupted.abort(error.code === 'EPIPE' ? new Interruption('the output was closed') : error), // as by `| head`
);
process.stderr.on('error', () => {}); // nobody is left to be told; what is being done goes on

const { version } = createRequire(import.meta.url)('nestjs-polymongo/package.json') as { version: string };
const { stdin, stdout, stderr, env } = process;
process.exitCode = await runCli(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  env,
  version,
  signal: interrupted.signal,
});
