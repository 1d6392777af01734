/**
 * The process of scripts: answers each request where it waits, so that promises, which only an event loop would go on with,
 * never do. It hands strings and the context's own functions to contexts, and looks at nothing that comes from there but
 * strings. A request is `[id, drop, code, timeoutMS]`, a new line and a text: a context is made when its `id` is unknown,
 * `code` is compiled in it, `drop` is one to forget. Requests and answers follow their length in bytes, and no request is
 * sent before the last one is answered; the first, answered by any text, is `[realm, most bytes of memory, most characters of an answer]`.
 *
 * A thread beside it ends the process when whoever started it is gone, a request has had its time, or more memory is in use
 * than it may have.
 */
export const PROCESS_SOURCE = String.raw`'use strict';
const { readSync, writeSync } = require('node:fs');
const { Worker } = require('node:worker_threads');
const { Script, createContext } = require('node:vm');
const { exit } = process, { alloc, byteLength } = Buffer, common = alloc(65536);
const read = () => {
  let bytes = common, wanted = 4;
  for (let at = 0; at < wanted; ) {
    const count = readSync(0, bytes, at, bytes.length - at, null);
    if (count === 0) exit();
    at += count;
    if (wanted === 4 && at >= 4) wanted += bytes.readUInt32LE();
    if (wanted > bytes.length) common.copy((bytes = alloc(wanted)), 0, 0, at);
  }
  return bytes.toString('utf8', 4, wanted);
};
const write = (text) => {
  const bytes = text.length * 3 + 4 > common.length ? alloc(4 + byteLength(text)) : common;
  const end = 4 + bytes.write(text, 4);
  bytes.writeUInt32LE(end - 4);
  for (let at = 0; at < end; ) at += writeSync(1, bytes, at, end - at);
};
const [realm, mostBytes, mostText] = JSON.parse(read());
write('ready');
const turn = new Int32Array(new SharedArrayBuffer(8)); // its number, which is odd while a request is answered, and its time
new Worker(
  'const { turn, mostBytes } = require("node:worker_threads").workerData;' +
  'const end = () => process.kill(process.pid, "SIGKILL");' +
  'process.on("uncaughtException", end);' +
  'new (require("node:net").Socket)({ fd: 3 }).on("close", end).on("error", end).resume();' +
  'let seen = 0, since = 0;' +
  'setInterval(() => {' +
  '  if (process.memoryUsage.rss() > mostBytes) end();' +
  '  const [number, timeoutMS] = turn;' +
  '  if (number !== seen) [seen, since] = [number, performance.now()];' +
  '  else if (number & 1 && performance.now() - since > timeoutMS) end();' +
  '}, 10)',
  { eval: true, stdin: false, workerData: { turn, mostBytes } },
);
for (const name of ['process', 'require', 'module', 'exports', 'fetch', 'Buffer']) delete globalThis[name];
const realmScript = new Script(realm);
const contexts = new Map();
const answer = ([id, drop, code], text) => {
  if (drop !== null) contexts.delete(drop);
  let place = contexts.get(id);
  if (!place) {
    const context = createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } });
    contexts.set(id, (place = { context, handle: realmScript.runInContext(context) }));
  }
  let thunk;
  if (code !== null) {
    let script;
    try {
      script = new Script(code);
    } catch (error) {
      return JSON.stringify([1, error.name + ': ' + error.message]); // the parser's, of this realm
    }
    try {
      thunk = script.runInContext(place.context, { displayErrors: false });
    } catch {
      return '[1,"Error: the function cannot be evaluated"]';
    }
  }
  let result;
  try {
    result = place.handle(text, thunk);
  } catch {
    return '[1,"Error: the function ended in an error"]';
  }
  if (typeof result !== 'string') return '[1,"Error: no result"]';
  return result.length > mostText ? '[1,"Error: a script gave too large a value"]' : result;
};
for (;;) {
  const request = read(), end = request.indexOf('\n'), head = JSON.parse(request.slice(0, end));
  turn[1] = head[3];
  Atomics.add(turn, 0, 1);
  const text = answer(head, request.slice(end + 1));
  Atomics.add(turn, 0, 1);
  write(text);
}`;

/**
 * A thread that starts the process and speaks with it where the server itself cannot wait for a pipe, and wakes the server,
 * which waits for it, with each answer, or when the process has ended. `null` ends the process, and the thread with it.
 */
export const BRIDGE_SOURCE = String.raw`'use strict';
const { workerData: { port, signal, command, args, options, mostBytes } } = require('node:worker_threads');
const child = require('node:child_process').spawn(command, args, options);
const tell = (message) => {
  port.postMessage(message);
  Atomics.store(signal, 0, 1);
  Atomics.notify(signal, 0);
};
let bytes = Buffer.alloc(0);
child.stdout.on('data', (more) => {
  bytes = bytes.length > 0 ? Buffer.concat([bytes, more]) : more;
  const wanted = bytes.length < 4 ? 4 : 4 + bytes.readUInt32LE();
  if (wanted > mostBytes) return void child.kill('SIGKILL');
  if (bytes.length < wanted) return;
  tell(bytes.toString('utf8', 4, wanted));
  bytes = bytes.subarray(wanted);
});
for (const stream of child.stdio) stream?.on('error', () => {});
child.on('error', () => {}).on('close', () => {
  Atomics.store(signal, 1, 1);
  tell(null);
  port.close();
});
port.on('message', (message) => {
  if (message === null) return void child.kill('SIGKILL');
  const head = Buffer.alloc(4);
  head.writeUInt32LE(Buffer.byteLength(message));
  child.stdin.write(head);
  child.stdin.write(message);
});`;
