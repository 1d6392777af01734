import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { CommandError } from '../../errors.js';
import { REALM_SOURCE, THREAD_SOURCE } from './sandbox.source.js';

/** What a thread may take for all of its contexts; mongod's jsHeapLimitMB is 1100 for each. */
const HEAP_MB = 256;
/** How many contexts it keeps; one that was forgotten is made anew when it is called again. */
const MOST_CONTEXTS = 32;
/** An idle thread ends. */
const IDLE_MS = 30_000;
const START_MS = 30_000;

/** What the thread is asked: see THREAD_SOURCE. */
interface ScriptRequest {
  readonly id: number;
  readonly code?: string;
  readonly text: string;
}

/** A thread that runs scripts while this one waits, and that can be ended whatever they do. */
class ScriptThread {
  private readonly signal = new Int32Array(new SharedArrayBuffer(8));
  private readonly port: MessagePort;
  private readonly worker: Worker;
  private readonly contexts = new Set<number>();
  private readonly idle: NodeJS.Timeout;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.worker = new Worker(THREAD_SOURCE, {
      eval: true,
      env: {},
      execArgv: [],
      stdin: false,
      workerData: { port: port2, signal: this.signal, realm: REALM_SOURCE },
      transferList: [port2],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    this.worker.on('error', () => this.end()); // it had no memory left
    this.worker.unref();
    this.port.unref();
    this.idle = setTimeout(() => this.end(), IDLE_MS).unref();
    if (this.ask({ id: 0, text: '[0,{}]' }, START_MS) === undefined)
      throw new CommandError('InternalError', `the thread for scripts did not start within ${START_MS} ms`);
  }

  /** Whether the thread knows a context. */
  knows(id: number): boolean {
    return this.contexts.has(id);
  }

  /** The answer's text; undefined, and the thread has ended, when it took too long. */
  ask(request: ScriptRequest, timeoutMS: number): string | undefined {
    this.idle.refresh();
    Atomics.store(this.signal, 1, 0);
    this.port.postMessage({ ...request, drop: this.touch(request.id) });
    Atomics.store(this.signal, 0, 1);
    Atomics.notify(this.signal, 0);
    Atomics.wait(this.signal, 1, 0, timeoutMS);
    const answer = receiveMessageOnPort(this.port) as { message: string } | undefined;
    if (!answer) this.end();
    return answer?.message;
  }

  /** The context that has to make room for this one. */
  private touch(id: number): number | undefined {
    this.contexts.delete(id);
    this.contexts.add(id);
    if (this.contexts.size <= MOST_CONTEXTS) return undefined;
    const [oldest] = this.contexts;
    this.contexts.delete(oldest!);
    return oldest;
  }

  private end(): void {
    if (current === this) current = undefined;
    clearTimeout(this.idle);
    this.port.close();
    void this.worker.terminate();
  }
}

let current: ScriptThread | undefined;

/** The thread of this process; started when it is first asked for, or has ended. */
export const scriptThread = (): ScriptThread => (current ??= new ScriptThread());
