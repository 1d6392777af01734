import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.js';

interface Launch {
  command: string;
  args?: string[];
  env?: Record<string, string>;
  /** What it prints when it can be connected to. */
  isReady: RegExp;
  /** Ends what it leaves behind. */
  tidy?: () => void;
}

/** How each broker is started, with all that it writes in a folder. */
const LAUNCHES = {
  'redis-server': async (port: number, folder: string): Promise<Launch> => ({
    command: 'redis-server',
    args: ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'],
    isReady: /Ready to accept connections/,
  }),
  'nats-server': async (port: number): Promise<Launch> => ({
    command: 'nats-server',
    args: ['--addr', '127.0.0.1', '--port', `${port}`],
    isReady: /Server is ready/,
  }),
  'rabbitmq-server': async (port: number, folder: string): Promise<Launch> => {
    writeFileSync(join(folder, 'plugins'), '[].');
    const epmd = `${await freePort()}`;
    return {
      command: 'rabbitmq-server',
      env: {
        HOME: folder,
        RABBITMQ_NODENAME: `polymongo-${port}@localhost`,
        RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
        RABBITMQ_NODE_PORT: `${port}`,
        RABBITMQ_DIST_PORT: `${await freePort()}`,
        RABBITMQ_MNESIA_BASE: folder,
        RABBITMQ_LOG_BASE: folder,
        RABBITMQ_PID_FILE: join(folder, 'pid'),
        RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
        ERL_EPMD_PORT: epmd,
        ERL_EPMD_ADDRESS: '127.0.0.1',
        ERL_EPMD_RELAXED_COMMAND_CHECK: '1', // it ends when told, also while it still has the broker on its list
        // Debian's own command becomes the user rabbitmq, who may not write here.
        PATH: `/usr/lib/rabbitmq/bin:${process.env.PATH}`,
      },
      isReady: /completed with \d+ plugins/,
      tidy: () => void execFileSync('epmd', ['-port', epmd, '-kill'], { stdio: 'ignore' }),
    };
  },
};

export type BrokerName = keyof typeof LAUNCHES;

/** Whether the tests of a broker are run: globalSetup has looked for it. */
export const hasBroker = (name: BrokerName): boolean =>
  (process.env.POLYMONGO_TEST_BROKERS ?? '').split(' ').includes(name);

/** A real broker of this test file, in a temporary folder and on a free port. */
export class Broker {
  readonly host = '127.0.0.1';

  private constructor(
    readonly port: number,
    readonly process: ChildProcess,
    readonly folder: string,
    readonly tidy: () => void,
  ) {}

  static async start(name: BrokerName): Promise<Broker> {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), `polymongo-${name}-`));
    const { command, args = [], env, isReady, tidy = () => {} } = await LAUNCHES[name](port, folder);
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      detached: true, // a group of its own, so that all of it can be ended
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const broker = new Broker(port, child, folder, tidy);
    const said: string[] = [];
    await new Promise<void>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface(stream).on('line', (line) => {
          said.push(line);
          if (isReady.test(line)) resolve();
        });
      }
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`${name} ended:\n${said.join('\n')}`)));
    });
    return broker;
  }

  async stop(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      process.kill(-this.process.pid!, 'SIGKILL');
      await once(this.process, 'exit');
    }
    this.tidy();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
