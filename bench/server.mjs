import { fork } from 'node:child_process';
import { once } from 'node:events';

/** A server to measure against: MONGODB_URI, else an embedded one in a child process. */
export async function startServer() {
  if (process.env.MONGODB_URI) return { uri: process.env.MONGODB_URI, name: 'MONGODB_URI', stop: () => {} };
  const child = fork(new URL('../packages/embedded-mongo/bench/embedded.process.mjs', import.meta.url), {
    execArgv: ['--max-old-space-size=8192'],
  });
  const [uri] = await once(child, 'message');
  return { uri, name: 'the embedded server, in a process of its own', stop: () => child.disconnect() };
}
