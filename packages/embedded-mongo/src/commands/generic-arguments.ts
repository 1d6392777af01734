import { Binary } from 'bson';
import type { Timestamp } from 'bson';
import { CommandError } from '../errors.js';
import type { Doc, Value } from '../bson/value.js';
import {
  ArgumentParser,
  type ArgumentTable,
  asInt64,
  boolArgument,
  docArgument,
  integerArgument,
  longArgument,
  stringArgument,
} from './arguments.js';
import { isNumeric } from '../bson/number.js';
import { timestampArgument, uuidHex } from './arguments.js';

/** Arguments that every command takes (mongo/src/mongo/idl/generic_argument.idl). */
const FIELDS: ArgumentTable = {
  $db: 'string',
  lsid: 'object',
  txnNumber: 'exactLong',
  autocommit: 'bool',
  startTransaction: 'bool',
  readConcern: 'object',
  writeConcern: 'object',
  maxTimeMS: 'any',
  $readPreference: 'object',
  $clusterTime: 'object',
  $configServerState: 'any',
  $audit: 'any',
  $client: 'any',
  comment: 'any',
  apiVersion: 'string',
  apiStrict: 'bool',
  apiDeprecationErrors: 'bool',
  maxTimeMSOpOnly: 'any',
  help: 'any',
  mayBypassWriteBlocking: 'bool',
  stmtId: 'exactInt',
  clientOperationKey: 'binData',
  $queryOptions: 'object',
};
const GENERIC = new ArgumentParser('generic', FIELDS);

const GENERIC_NAMES: ReadonlySet<string> = new Set(Object.keys(FIELDS));

export const isGenericArgument = (name: string): boolean => GENERIC_NAMES.has(name);

const READ_CONCERN = new ArgumentParser('readConcern', {
  level: 'string',
  afterClusterTime: 'timestamp',
  atClusterTime: 'timestamp',
  afterOpTime: 'object',
  provenance: 'string',
  allowTransactionTableSnapshot: 'bool',
});
const READ_CONCERN_LEVELS = ['local', 'available', 'majority', 'linearizable', 'snapshot'];

interface ReadConcern {
  readonly level: string | undefined;
  readonly atClusterTime: Timestamp | undefined;
  readonly afterClusterTime: Timestamp | undefined;
}

interface WriteConcern {
  readonly w: number | string;
  readonly isUnacknowledged: boolean;
}

export interface GenericArguments {
  readonly lsid: string | undefined;
  readonly lsidDoc: Doc | undefined;
  readonly txnNumber: bigint | undefined;
  readonly autocommit: boolean | undefined;
  readonly startTransaction: boolean;
  readonly readConcern: ReadConcern | undefined;
  readonly writeConcern: WriteConcern | undefined;
  readonly maxTimeMS: number;
  readonly comment: Value | undefined;
}

/** @param owner whose the session is @throws CommandError */
export function parseGenericArguments(args: Doc, owner: string): GenericArguments {
  GENERIC.check(args, () => true);
  const lsidDoc = docArgument(args, 'lsid');
  const given = args.get('maxTimeMS');
  if (given !== undefined && !isNumeric(given)) throw new CommandError('BadValue', 'maxTimeMS must be a number');
  const maxTimeMS = integerArgument(args, 'maxTimeMS') ?? 0;
  if (typeof given === 'number' && Number.isFinite(given) && Math.abs(given) < 2 ** 63 && !Number.isInteger(given)) {
    throw new CommandError('BadValue', 'maxTimeMS has non-integral value');
  }
  if (maxTimeMS < 0 || maxTimeMS > 0x7fffffff) {
    const value = asInt64(typeof given === 'bigint' ? given : maxTimeMS);
    throw new CommandError('BadValue', `${value} value for maxTimeMS is out of range [0, 2147483647]`);
  }
  const autocommit = args.get('autocommit');
  return {
    lsid: lsidDoc && sessionKey(lsidDoc, owner),
    lsidDoc,
    txnNumber: longArgument(args, 'txnNumber'),
    autocommit: typeof autocommit === 'boolean' ? autocommit : undefined,
    startTransaction: boolArgument(args, 'startTransaction'),
    readConcern: parseReadConcern(docArgument(args, 'readConcern')),
    writeConcern: parseWriteConcern(docArgument(args, 'writeConcern')),
    maxTimeMS,
    comment: args.get('comment'),
  };
}

/** The id of a logical session as a key; another user's is another session. @throws CommandError */
export function sessionKey(lsid: Doc, owner: string): string {
  const id = lsid.get('id');
  if (id === undefined) {
    throw new CommandError(40414, "BSON field 'OperationSessionInfo.lsid.id' is missing but a required field");
  }
  if (!(id instanceof Binary) || id.sub_type !== Binary.SUBTYPE_UUID || id.position !== 16) {
    throw new CommandError('InvalidUUID', 'uuid must be a 16-byte binary field with UUID (4) subtype');
  }
  return owner === '' ? uuidHex(id) : `${uuidHex(id)} of ${owner}`;
}

function parseReadConcern(doc: Doc | undefined): ReadConcern | undefined {
  if (!doc) return undefined;
  READ_CONCERN.check(doc);
  const level = stringArgument(doc, 'level');
  if (level !== undefined && !READ_CONCERN_LEVELS.includes(level)) {
    throw new CommandError(
      'BadValue',
      `Enumeration value '${level}' for field 'readConcern.level' is not a valid value.`,
    );
  }
  const atClusterTime = timestampArgument(doc, 'atClusterTime');
  const afterClusterTime = timestampArgument(doc, 'afterClusterTime');
  if (atClusterTime && level !== 'snapshot') {
    throw new CommandError('InvalidOptions', "readConcern.level must be 'snapshot' when atClusterTime is specified");
  }
  if (atClusterTime && afterClusterTime) {
    throw new CommandError('InvalidOptions', 'Can not specify both afterClusterTime and atClusterTime');
  }
  return { level, atClusterTime, afterClusterTime };
}

const WRITE_CONCERN = new ArgumentParser('writeConcern', {
  w: 'any',
  j: 'safeBool',
  wtimeout: 'any',
  fsync: 'safeBool',
  provenance: 'string',
  getLastError: 'any',
  wOpTime: 'any',
  wElectionId: 'any',
});

function parseWriteConcern(doc: Doc | undefined): WriteConcern | undefined {
  if (!doc) return undefined;
  WRITE_CONCERN.check(doc);
  const w = doc.get('w');
  if (w === undefined || w === null) return { w: 1, isUnacknowledged: false };
  if (typeof w === 'string') return { w, isUnacknowledged: false };
  const members = integerArgument(doc, 'w');
  if (members === undefined) {
    throw new CommandError('FailedToParse', 'w has to be a number, string, or object; found something else');
  }
  if (members < 0 || members > 50) {
    throw new CommandError('FailedToParse', 'w has to be a non-negative number and not greater than 50');
  }
  return { w: members, isUnacknowledged: members === 0 };
}
