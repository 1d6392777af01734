import type { Timestamp } from 'bson';
import { CommandError } from '../../errors.js';
import type { Doc } from '../../bson/value.js';
import { isDoc } from '../../bson/value.js';
import { ArgumentParser, boolArgument, stringArgument, timestampArgument } from '../arguments.js';
import type { StreamPosition } from './resume-token.js';
import { parseResumeToken } from './resume-token.js';

const PARSER = new ArgumentParser('$changeStream', {
  fullDocument: 'string',
  fullDocumentBeforeChange: 'string',
  resumeAfter: 'object',
  startAfter: 'object',
  startAtOperationTime: 'timestamp',
  allChangesForCluster: 'bool',
  showExpandedEvents: 'bool',
  showSystemEvents: 'bool',
  showMigrationEvents: 'bool',
  allowToRunOnConfigDB: 'bool',
  allowToRunOnSystemNS: 'bool',
});

const FULL_DOCUMENT = ['default', 'updateLookup', 'whenAvailable', 'required'] as const;
const BEFORE_CHANGE = ['off', 'whenAvailable', 'required'] as const;

/** What `$changeStream` is asked for (manual: $changeStream). */
export interface ChangeStreamOptions {
  readonly fullDocument: (typeof FULL_DOCUMENT)[number];
  readonly fullDocumentBeforeChange: (typeof BEFORE_CHANGE)[number];
  readonly resumeAfter: StreamPosition | undefined;
  readonly startAfter: StreamPosition | undefined;
  readonly startAtOperationTime: Timestamp | undefined;
  readonly isForCluster: boolean;
  readonly showsExpandedEvents: boolean;
}

/** @throws CommandError */
export function parseChangeStreamOptions(spec: unknown): ChangeStreamOptions {
  if (!isDoc(spec)) {
    throw new CommandError(50808, '$changeStream stage expects a document as argument');
  }
  PARSER.check(spec);
  const starts = ['resumeAfter', 'startAfter', 'startAtOperationTime'].filter((name) => spec.has(name));
  if (starts.length > 1) {
    throw new CommandError(
      50674,
      "Only one of the following options is allowed: 'resumeAfter', 'startAfter', 'startAtOperationTime'",
    );
  }
  const resumeAfter = spec.has('resumeAfter') ? parseResumeToken(spec.get('resumeAfter')) : undefined;
  if (resumeAfter?.kind === 'invalidate') {
    throw new CommandError(
      260,
      "Attempting to resume a change stream using 'resumeAfter' is not allowed from an invalidate notification.",
    );
  }
  return {
    fullDocument: choice(spec, 'fullDocument', FULL_DOCUMENT),
    fullDocumentBeforeChange: choice(spec, 'fullDocumentBeforeChange', BEFORE_CHANGE),
    resumeAfter,
    startAfter: spec.has('startAfter') ? parseResumeToken(spec.get('startAfter')) : undefined,
    startAtOperationTime: timestampArgument(spec, 'startAtOperationTime'),
    isForCluster: boolArgument(spec, 'allChangesForCluster'),
    showsExpandedEvents: boolArgument(spec, 'showExpandedEvents'),
  };
}

function choice<T extends string>(spec: Doc, field: string, choices: readonly T[]): T {
  const value = stringArgument(spec, field);
  if (value === undefined) return choices[0]!;
  const known = choices.find((one) => one === value);
  if (known === undefined) {
    throw new CommandError(
      'BadValue',
      `Enumeration value '${value}' for field '$changeStream.${field}' is not a valid value.`,
    );
  }
  return known;
}
