import { OtherDatabaseError } from '../pools/pool.errors.js';
import type { Database } from '../databases/database.js';

/** Stages that can name a database, and what of them does not: sub-pipelines are looked at by themselves. */
const STAGES = new Set(['$out', '$merge', '$lookup', '$graphLookup', '$unionWith']);
const NO_TARGET = new Set(['pipeline', 'let', 'on', 'whenMatched', 'restrictSearchWithMatch']);

/**
 * Refuses an aggregation that would read or write another database than the one it runs on, where the database is
 * confined to itself.
 * @throws OtherDatabaseError
 */
export function assertConfined(database: Database, pipeline: unknown): void {
  if (database.equipment.isConfined) look(pipeline, database.name);
}

/** Looks at every stage, however deep: in `$facet`, in pipelines of stages, in what a server of tomorrow nests them in. */
function look(value: unknown, own: string): void {
  for (const [key, inner] of membersOf(value)) {
    if (key === '$literal') continue;
    if (STAGES.has(key)) assertTarget(key, inner, own);
    look(inner, own);
  }
}

function assertTarget(stage: string, spec: unknown, own: string): void {
  for (const [key, inner] of membersOf(spec)) {
    if (NO_TARGET.has(key)) continue;
    if (key === 'db' && inner !== own) throw new OtherDatabaseError(stage, own, String(inner));
    assertTarget(stage, inner, own);
  }
}

/** The members of a value as the driver would send it. */
function membersOf(value: unknown): Iterable<[string, unknown]> {
  if (typeof value !== 'object' || value === null || '_bsontype' in value || ArrayBuffer.isView(value)) return [];
  if (value instanceof Map) return value as Map<string, unknown>;
  const { toBSON } = value as { toBSON?: () => unknown };
  return typeof toBSON === 'function' ? membersOf(toBSON.call(value)) : Object.entries(value);
}
