import type { Mongoose, mongo } from 'mongoose';
import { missingInDriver, missingWhenConnected } from './driver.private.js';
import { missingInMongoose } from './mongoose.private.js';

const KNOWN = '8.16 to 8.24 and 9.0 to 9.12';

/** The versions of mongoose that have been looked at, and those of which somebody was warned. */
const checked = new Set<string>();
const told = new Set<string>();

/**
 * Looks for the private places of mongoose and of its driver, once a version. What is not there is told by one warning of
 * the process (`POLYMONGO_PRIVATE`): what does not rely on it goes on working.
 */
export function checkPrivatePlaces(base: Mongoose): void {
  if (checked.has(base.version)) return;
  checked.add(base.version);
  warn(base.version, [...looked(() => missingInMongoose(base)), ...looked(() => missingInDriver(base.mongo))]);
}

/** As {@link checkPrivatePlaces}, for what a client has once it connects. */
export function checkConnected(client: mongo.MongoClient, version: string): void {
  warn(version, missingWhenConnected(client));
}

/** Where even the look fails, what it failed with says what is missing. */
function looked(look: () => string[]): string[] {
  try {
    return look();
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function warn(version: string, missing: readonly string[]): void {
  if (missing.length === 0 || told.has(version)) return;
  told.add(version);
  process.emitWarning(
    `mongoose ${version} with its driver has changed inside: ${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} ` +
      `not where nestjs-polymongo knows it from ${KNOWN}, and what relies on it may fail. Use one of these versions, or a ` +
      'newer nestjs-polymongo.',
    { type: 'PolyMongoWarning', code: 'POLYMONGO_PRIVATE' },
  );
}
