// A server in a process of its own, which has little memory: node --max-old-space-size=N small-heap.mjs [SHARE]
// SHARE of what it has for objects that live long is in use for something else. It writes its URI, and ends with its standard input.
import { getHeapStatistics } from 'node:v8';
import { EmbeddedMongo } from 'embedded-mongo';

const [megabytes, share] = [/\d+/.exec(process.execArgv[0] ?? '0')[0], Number(process.argv[2] ?? 0)];
const server = await EmbeddedMongo.start();
const held = [];
const isHeld = () => getHeapStatistics().used_heap_size >= megabytes * 1024 * 1024 * share;
while (!isHeld()) held.push(Array.from({ length: 1000 }, (_, i) => ({ i })));
process.stdout.write(`${server.uri}\n`);
process.stdin.on('close', () => process.exit(held.length < 0 ? 1 : 0)).resume();
