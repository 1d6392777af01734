import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * How full the heap may be. Whatever is not counted otherwise ends here, not with the process: from 0.8 on the engine gives up
 * when a few collections in a row have found little.
 */
const FULL = 0.7;
/** What the engine keeps of its limit for young objects, by default: what lives long has the rest. */
const YOUNG_BYTES = 48 * 1024 * 1024;
/** How much of the heap may fill up anew before its garbage is collected again: collecting takes longest when it is full. */
const AGAIN = 1 / 16;

let collect: (() => void) | undefined;
/** What was in use when garbage was last collected. */
let leftOver = 0;

/** Whether the process has hardly any memory left. Garbage does not count: it is collected before anybody is refused. */
export function isHeapFull(): boolean {
  const { used_heap_size: used, heap_size_limit: whole } = getHeapStatistics();
  const limit = whole - YOUNG_BYTES;
  if (used <= limit * FULL) return false;
  if (leftOver <= limit * FULL && used - leftOver < limit * AGAIN) return false;
  collect ??= collector();
  collect();
  leftOver = getHeapStatistics().used_heap_size;
  return leftOver > limit * FULL;
}

/** The engine collects garbage by itself when it thinks fit, which may be later than here. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  return gc;
}
