#!/usr/bin/env node
import { createRequire } from 'node:module';
import { runCli } from './cli.program.js';

const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort()); // a second one ends the process

const { version } = createRequire(import.meta.url)('embedded-mongo/package.json') as { version: string };
const { stdout, stderr } = process;
process.exitCode = await runCli(process.argv.slice(2), { stdout, stderr, version, signal: stopped.signal });
