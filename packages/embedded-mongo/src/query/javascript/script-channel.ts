import { spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { readSync, writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { BRIDGE_SOURCE } from './process.source.js';

/** A process that answers a text with a text, and nothing but that. */
export interface ScriptChannel {
  /** Waits for the answer, and does nothing else meanwhile; undefined once the process has ended. */
  exchange(text: string): string | undefined;
  /** Ends the process, whatever it does. @returns when it is gone */
  end(): Promise<unknown>;
  /** Calls back when it has ended by itself. */
  onEnd(callback: () => void): void;
}

/** Nothing but what it needs: no variables of this process, no stderr for the engine's last words, a pipe that closes with us. */
const OPTIONS: SpawnOptions = {
  env: { ELECTRON_RUN_AS_NODE: '1' },
  stdio: ['pipe', 'pipe', 'ignore', 'pipe'],
  windowsHide: true,
};

/** A program in a process that has so much memory for its objects; an answer of more bytes ends it. */
export function openChannel(program: string, heapMB: number, mostBytes: number): ScriptChannel {
  const args = [`--max-old-space-size=${heapMB}`, '-e', program];
  return process.platform === 'win32' ? bridged(args, mostBytes) : piped(args, mostBytes);
}

/**
 * The descriptor of a pipe to a child, made to wait for what is read and written. Private in Node (read in 20.19, 22, 24): `_handle`,
 * its `fd` and `setBlocking`; a pipe of Windows has no descriptor.
 */
function descriptorOf(stream: unknown): number {
  const handle = (stream as { _handle?: { fd?: number; setBlocking?: (isBlocking: boolean) => number } })._handle;
  if (handle?.fd === undefined || handle.fd < 0 || handle.setBlocking?.(true) !== 0) throw new Error('no such pipe');
  return handle.fd;
}

/** The pipes' own descriptors: a system call each way, as quick as a thread. */
export function piped(args: string[], mostBytes: number): ScriptChannel {
  const child = spawn(process.execPath, args, OPTIONS);
  const ended = new Promise<void>((resolve) => child.once('error', resolve).once('exit', resolve));
  for (const stream of child.stdio) stream?.on('error', () => {});
  const handles = [child, ...(child.stdio as (Socket | null)[])].filter((handle) => handle != null);
  for (const handle of handles) handle.unref();
  const common = Buffer.allocUnsafeSlow(65_536);
  const write = (fd: number, text: string): void => {
    const bytes = text.length * 3 + 4 > common.length ? Buffer.allocUnsafe(4 + Buffer.byteLength(text)) : common;
    const end = 4 + bytes.write(text, 4);
    bytes.writeUInt32LE(end - 4);
    for (let at = 0; at < end;) at += writeSync(fd, bytes, at, end - at);
  };
  const read = (fd: number): string | undefined => {
    let [bytes, wanted] = [common, 4];
    for (let at = 0; at < wanted;) {
      const count = readSync(fd, bytes, at, bytes.length - at, null);
      if (count === 0) return undefined;
      at += count;
      if (wanted === 4 && at >= 4) wanted += bytes.readUInt32LE();
      if (wanted > mostBytes) return undefined;
      if (wanted > bytes.length) common.copy((bytes = Buffer.allocUnsafe(wanted)), 0, 0, at);
    }
    return bytes.toString('utf8', 4, wanted);
  };
  let pipes: { readonly into: number; readonly from: number } | undefined;
  return {
    exchange(text) {
      try {
        pipes ??= { into: descriptorOf(child.stdin), from: descriptorOf(child.stdout) };
        write(pipes.into, text);
        return read(pipes.from);
      } catch {
        return undefined; // EPIPE: it has ended, or never begun
      }
    },
    end() {
      for (const handle of handles) handle.ref();
      child.kill('SIGKILL');
      return ended;
    },
    onEnd: (callback) => void ended.then(callback),
  };
}

/** By a thread whose event loop waits for the pipes. */
export function bridged(args: string[], mostBytes: number): ScriptChannel {
  const signal = new Int32Array(new SharedArrayBuffer(8)); // something was told; the process has ended
  const { port1: port, port2 } = new MessageChannel();
  const bridge = new Worker(BRIDGE_SOURCE, {
    eval: true,
    execArgv: [],
    stdin: false,
    workerData: { port: port2, signal, command: process.execPath, args, options: OPTIONS, mostBytes },
    transferList: [port2],
  });
  const ended = once(bridge, 'exit');
  bridge.unref();
  port.unref();
  return {
    exchange(text) {
      Atomics.store(signal, 0, 0);
      if (Atomics.load(signal, 1) === 1) return undefined;
      port.postMessage(text);
      Atomics.wait(signal, 0, 0);
      return (receiveMessageOnPort(port)?.message as string | null | undefined) ?? undefined;
    },
    end() {
      bridge.ref();
      port.postMessage(null);
      return ended;
    },
    onEnd: (callback) => void ended.then(callback),
  };
}
