import { createHash } from 'node:crypto';

/** What applications do to an id to make a database name of it; most of them give several ids the same one. */
export const MAPPINGS: Record<string, (id: string) => string> = {
  asItIs: (id) => id,
  prefixed: (id) => `t_${id}`,
  lowerCase: (id) => `t_${id.toLowerCase()}`,
  upperCase: (id) => `T_${id.toUpperCase()}`,
  truncated: (id) => `t_${id}`.slice(0, 6),
  withoutDashes: (id) => `t_${id.replace(/[-_]/g, '')}`,
  hashed: (id) => `t_${createHash('sha1').update(id).digest('hex').slice(0, 1)}`,
  constant: () => 'tenants',
  suffixed: (id) => `${id}-Data`,
};

/** A random id of few letters, so that many are alike; some are too long for a database. */
export function randomId(random: () => number): string {
  const length = random() < 0.1 ? 64 + Math.floor(random() * 10) : 1 + Math.floor(random() * 5);
  return Array.from({ length }, () => 'aAbB-_'[Math.floor(random() * 6)]).join('');
}
