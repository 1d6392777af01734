import mongoose from 'mongoose';
import type { mongo } from 'mongoose';
import { OtherDatabaseError } from '../pools/pool.errors.js';
import type { Database } from '../databases/database.js';

/** Stages that can name a database, and what of them does not: sub-pipelines are looked at by themselves. */
const STAGES = new Set(['$out', '$merge', '$lookup', '$graphLookup', '$unionWith']);
const NO_TARGET = new Set(['pipeline', 'let', 'on', 'whenMatched', 'restrictSearchWithMatch']);
/** Reads BSON back as exactly what it is. */
const EXACT: mongo.BSON.DeserializeOptions = {
  promoteValues: false,
  promoteLongs: false,
  promoteBuffers: false,
  bsonRegExp: true,
};

type Document = Record<string, unknown>;

/**
 * What is sent of a pipeline, once it is certain that it neither reads nor writes another database than the one it runs
 * on, where that is confined to itself. A copy then: what is asked once more may give another answer.
 * @throws OtherDatabaseError
 */
export function confined<T>(database: Database, pipeline: T, options?: mongo.BSONSerializeOptions): T {
  if (!database.equipment.isConfined || pipeline === undefined) return pipeline;
  const sent = asSent({ pipeline }, options);
  look(sent.pipeline, database.name);
  return sent.pipeline;
}

/** As {@link confined}, of a command. */
export function confinedCommand<T extends object>(
  database: Database,
  command: T,
  options?: mongo.BSONSerializeOptions,
): T {
  if (!database.equipment.isConfined) return command;
  const sent = asSent({ command }, options).command;
  assertCommand(sent as Document, database.name);
  return sent;
}

function assertCommand(command: Document, own: string): void {
  const [name = ''] = Object.keys(command);
  if (name === 'explain') return assertCommand(Object(command[name]) as Document, own);
  look(command['pipeline'], own);
  if (name.toLowerCase() === 'mapreduce') assertTarget(name, command['out'], own);
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

function membersOf(value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [];
  if (!('_bsontype' in value)) return Object.entries(value);
  return value instanceof mongoose.mongo.DBRef ? Object.entries(value.fields) : []; // what a document with $ref is read as
}

/** What the server gets, as it gets it: getters and `toBSON` have been asked, Maps are documents. */
function asSent<T extends object>(value: T, options: mongo.BSONSerializeOptions = {}): T {
  const { serialize, deserialize } = mongoose.mongo.BSON;
  const { ignoreUndefined = false, serializeFunctions = false } = options;
  return deserialize(serialize(value, { ignoreUndefined, serializeFunctions }), EXACT) as T;
}
