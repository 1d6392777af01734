/** What a client saw: it began, and ended well, or was refused without being done, or nobody knows. */
export interface MoveEvent {
  readonly op: number;
  readonly at: number;
  readonly kind: 'invoke' | 'ok' | 'fail' | 'unknown';
  readonly type: 'write' | 'read';
  /** What is written, each value once; of a read what it found. */
  readonly values: readonly string[];
}

/**
 * Judges a history by itself, without knowing how it came about: no acknowledged write missing or twice, none that was
 * refused, and nothing older than what was acknowledged before a read began, or than what a read before it found.
 */
export function faultsIn(history: readonly MoveEvent[]): string[] {
  const faults: string[] = [];
  const invoked = new Set<string>();
  const acknowledged = new Set<string>();
  const refused = new Set<string>();
  /** What a read that begins then has to find. */
  const due = new Map<number, ReadonlySet<string>>();
  const found = new Set<string>();
  for (const { op, kind, type, values } of history) {
    if (type === 'write') {
      if (kind === 'invoke') values.forEach((value) => invoked.add(value));
      if (kind === 'ok') values.forEach((value) => acknowledged.add(value));
      if (kind === 'fail') values.forEach((value) => refused.add(value));
      continue;
    }
    if (kind === 'invoke') due.set(op, new Set([...acknowledged, ...found]));
    if (kind !== 'ok') continue;
    const seen = new Set(values);
    if (seen.size < values.length) faults.push(`read ${op} finds a write twice: ${values.join()}`);
    for (const value of due.get(op)!) if (!seen.has(value)) faults.push(`read ${op} does not find ${value}`);
    for (const value of seen) {
      if (!invoked.has(value)) faults.push(`read ${op} finds ${value}, which nobody wrote`);
      if (refused.has(value)) faults.push(`read ${op} finds ${value}, which was refused`);
      found.add(value);
    }
  }
  return faults;
}
