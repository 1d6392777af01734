import { CommandError } from '../../errors.js';
import { PROCESS_SOURCE } from './process.source.js';
import { REALM_SOURCE } from './realm.source.js';
import { openChannel } from './script-channel.js';

/** What all contexts may take together; mongod's jsHeapLimitMB is 1100 for each. */
const HEAP_MB = 256;
/** The heap, and what the engine needs besides. */
const MOST_BYTES = 3 * HEAP_MB * 1024 * 1024;
/** How many characters an answer may have; no document of 16 MB has more. */
const MOST_TEXT = 128 * 1024 * 1024;
/** How many contexts it keeps; one that was forgotten is made anew when it is called again. */
const MOST_CONTEXTS = 32;
/** An idle process ends. */
const IDLE_MS = 30_000;

/** What the process is asked: see PROCESS_SOURCE. */
interface ScriptRequest {
  readonly id: number;
  readonly code?: string;
  readonly text: string;
}

/** `late`: it took too long. `ended`: the process ended, as it does where there is no memory left. */
type Answer = { readonly text: string } | 'late' | 'ended';

/** A process that runs scripts while this one waits, and that can be ended, or end, whatever they do. */
class ScriptProcess {
  private readonly channel = openChannel(PROCESS_SOURCE, HEAP_MB, 4 + 3 * MOST_TEXT);
  private readonly contexts = new Set<number>();
  private readonly idle = setTimeout(() => void this.end(), IDLE_MS).unref();

  /** @throws CommandError JSInterpreterFailure (139) where no process can be started */
  constructor() {
    this.channel.onEnd(() => this.forget());
    if (this.channel.exchange(JSON.stringify([REALM_SOURCE, MOST_BYTES, MOST_TEXT])) !== undefined) return;
    void this.end();
    throw new CommandError('JSInterpreterFailure', `${process.execPath} starts no process that could run scripts`);
  }

  /** Whether the process knows a context. */
  knows(id: number): boolean {
    return this.contexts.has(id);
  }

  /** Waits for the answer; without one the process is no more. */
  ask({ id, code, text }: ScriptRequest, timeoutMS: number): Answer {
    this.idle.refresh();
    const askedAt = performance.now();
    const head = JSON.stringify([id, this.touch(id) ?? null, code ?? null, timeoutMS]);
    const answer = this.channel.exchange(`${head}\n${text}`);
    if (answer !== undefined) return { text: answer };
    void this.end();
    return performance.now() - askedAt > timeoutMS ? 'late' : 'ended';
  }

  /** Ends it whatever it does. @returns when it is gone */
  end(): Promise<unknown> {
    this.forget();
    return this.channel.end();
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

  private forget(): void {
    if (current === this) current = undefined;
    clearTimeout(this.idle);
  }
}

let current: ScriptProcess | undefined;

/** The process of scripts; started when it is first asked for, or has ended. */
export const scriptProcess = (): ScriptProcess => (current ??= new ScriptProcess());

/** Ends the process of scripts, if there is one. @returns when it is gone */
export const endScripts = async (): Promise<void> => void (await current?.end());
