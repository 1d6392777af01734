import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { runCli } from '../../../src/cli/cli.program.js';

/** Runs a command line; `onOutput` gets what it writes and a way to stop it. */
async function run(argv: string[], onOutput: (text: string, stop: () => void) => void = () => undefined) {
  const stopped = new AbortController();
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  let [out, err] = ['', ''];
  stdout.on('data', (chunk: Buffer) => (out += chunk.toString()) && onOutput(out, () => stopped.abort()));
  stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const code = await runCli(argv, { stdout, stderr, version: '1.2.3', signal: stopped.signal });
  return { code, out, err };
}

describe('the command embedded-mongo', () => {
  it('runs a server whose address it prints, until it is interrupted', async () => {
    const hello = async (uri: string) => {
      const client = await new mongoose.mongo.MongoClient(uri).connect();
      return client
        .db('admin')
        .command({ hello: 1 })
        .finally(() => client.close());
    };
    let answer: Promise<unknown> | undefined;
    const { code, out, err } = await run(['--port', '0', '--repl-set', 'rs9'], (uri, stop) => {
      answer = hello(uri.trim()).finally(stop);
    });
    expect(out).toMatch(/^mongodb:\/\/127\.0\.0\.1:\d+\/\?replicaSet=rs9\n$/);
    expect(await answer).toMatchObject({ setName: 'rs9', isWritablePrimary: true });
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  it('prints the address and port as JSON when asked to', async () => {
    const { out } = await run(['--json'], (_, stop) => stop());
    const { uri, port } = JSON.parse(out) as { uri: string; port: number };
    expect(uri).toBe(`mongodb://127.0.0.1:${port}/?replicaSet=rs0`);
  });

  it('fails where the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    expect(await run(['-p', String(port)])).toMatchObject({ code: 1, err: expect.stringContaining('EADDRINUSE') });
    other.close();
  });

  it.each([
    [['--port', 'x'], '--port takes a number'],
    [['--prot', '1'], '--prot'],
    [['27018'], '27018'],
  ])('refuses %j as wrong usage', async (argv, text) => {
    expect(await run(argv)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(text) });
  });

  it('tells its version and its options', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, out: '1.2.3\n' });
    expect(await run(['--help'])).toMatchObject({ code: 0, out: expect.stringContaining('--repl-set') });
  });
});
