import { PassThrough, Readable } from 'node:stream';
import { runCli } from '../../../lib/cli/cli.program.js';

export interface Run {
  readonly stdin?: Uint8Array;
  readonly signal?: AbortSignal;
  readonly env?: Record<string, string>;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly onOutput?: (text: string) => void;
  readonly onError?: (text: string) => void;
}

/** Runs a command line against a server. */
export async function runIn(
  uri: string,
  args: string[],
  { stdin = Buffer.alloc(0), signal, env, isTTY = false, columns, onOutput, onError }: Run = {},
) {
  const stdout = Object.assign(new PassThrough(), { isTTY });
  const stderr = Object.assign(new PassThrough(), { isTTY, ...(columns !== undefined && { columns }) });
  const out: Buffer[] = [];
  let err = '';
  stdout.on('data', (chunk: Buffer) => (out.push(chunk), onOutput?.(chunk.toString())));
  stderr.on('data', (chunk: Buffer) => ((err += chunk.toString()), onError?.(chunk.toString())));
  const code = await runCli(args, {
    ...{
      stdin: Object.assign(Readable.from([stdin]), { isTTY }),
      stdout,
      stderr,
      signal: signal ?? new AbortController().signal,
    },
    version: '1.2.3',
    env: env ?? { MONGODB_URI: uri },
  });
  await new Promise((resolve) => setImmediate(resolve));
  return { code, bytes: Buffer.concat(out), out: Buffer.concat(out).toString(), err };
}
