import type { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { EmbeddedMongo } from '../embedded-mongo.js';

const HELP = `Usage: embedded-mongo [options]

A MongoDB in this process, with its data in memory, until Ctrl-C. Prints its connection string.

  -p, --port <port>      TCP port on 127.0.0.1 (default: any free one)
      --repl-set <name>  name of the replica set (default: rs0)
      --json             print { uri, port } instead
  -v, --version          print the version
  -h, --help             print this

Exit codes: 0 stopped, 1 failed, 2 wrong usage.

Example:
  embedded-mongo --port 27018
`;

/** What a command line runs with; `signal` ends the server. */
export interface CliIO {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly version: string;
  readonly signal: AbortSignal;
}

/** Runs one command line. @returns the exit code */
export async function runCli(argv: readonly string[], io: CliIO): Promise<number> {
  let options: ReturnType<typeof read>;
  try {
    options = read(argv);
  } catch (error) {
    io.stderr.write(`${messageOf(error)}\n`);
    return 2;
  }
  if (options.help) io.stdout.write(HELP);
  else if (options.version) io.stdout.write(`${io.version}\n`);
  else {
    try {
      await serve(options, io);
    } catch (error) {
      io.stderr.write(`embedded-mongo: ${messageOf(error)}\n`);
      return 1;
    }
  }
  return 0;
}

function read(argv: readonly string[]) {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      port: { type: 'string', short: 'p', default: '0' },
      'repl-set': { type: 'string', default: 'rs0' },
      json: { type: 'boolean', default: false },
      version: { type: 'boolean', short: 'v', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { port: text, 'repl-set': replSet, ...others } = values;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535) throw new Error(`--port takes a number from 0 to 65535, not ${text}.`);
  return { port, replSet, ...others };
}

async function serve({ port, replSet, json }: ReturnType<typeof read>, io: CliIO): Promise<void> {
  const mongo = await EmbeddedMongo.start({ port, replSet });
  io.stdout.write(`${json ? JSON.stringify({ uri: mongo.uri, port: mongo.port }) : mongo.uri}\n`);
  if (!io.signal.aborted) await new Promise((resolve) => io.signal.addEventListener('abort', resolve, { once: true }));
  await mongo.stop();
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
