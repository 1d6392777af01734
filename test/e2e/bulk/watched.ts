import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const used = () => {
  const { heapUsed, external } = process.memoryUsage(); // external has the buffers in it
  return heapUsed + external;
};

/** What work took: the most memory beside what was in use before, heap and buffers together, and the turns that others had. */
export interface Watched {
  readonly bytes: number;
  readonly turns: number;
}

/** Looks at the memory in every turn of the event loop while `begin` works. It may fail. @param isExact takes longer */
export async function watched(begin: () => Promise<unknown>, isExact = true): Promise<Watched> {
  // Buffers are given back some time after they have been collected, at the latest with the next collection.
  for (let times = isExact ? 2 : 0; times > 0; times--) {
    collectGarbage();
    await nextTurn();
  }
  const before = used();
  let [most, turns, isDone] = [0, 0, false];
  const done = () => (isDone = true);
  begin().then(done, done);
  for (; !isDone; turns++) {
    most = Math.max(most, used() - before);
    await nextTurn();
  }
  most = Math.max(most, used() - before); // what it did last
  return { bytes: most, turns };
}
