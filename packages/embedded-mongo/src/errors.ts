/** MongoDB's error codes by name, as far as this server gives them (mongo/src/mongo/base/error_codes.yml). */
export const ErrorCodes = {
  InternalError: 1,
  BadValue: 2,
  NoSuchKey: 4,
  GraphContainsCycle: 5,
  HostUnreachable: 6,
  HostNotFound: 7,
  UnknownError: 8,
  FailedToParse: 9,
  CannotMutateObject: 10,
  UserNotFound: 11,
  UnsupportedFormat: 12,
  Unauthorized: 13,
  TypeMismatch: 14,
  Overflow: 15,
  InvalidLength: 16,
  ProtocolError: 17,
  AuthenticationFailed: 18,
  IllegalOperation: 20,
  EmptyArrayOperation: 21,
  InvalidBSON: 22,
  AlreadyInitialized: 23,
  LockTimeout: 24,
  NamespaceNotFound: 26,
  IndexNotFound: 27,
  PathNotViable: 28,
  NonExistentPath: 29,
  InvalidPath: 30,
  RoleNotFound: 31,
  CannotBackfillArray: 34,
  CannotCreateIndex: 67,
  IndexAlreadyExists: 68,
  CommandNotFound: 59,
  InvalidOptions: 72,
  InvalidNamespace: 73,
  NoReplicationEnabled: 76,
  NetworkTimeout: 89,
  OperationFailed: 96,
  ClientMetadataCannotBeMutated: 186,
  ShutdownInProgress: 91,
  ConflictingUpdateOperators: 40,
  CursorNotFound: 43,
  NamespaceExists: 48,
  MaxTimeMSExpired: 50,
  DollarPrefixedFieldName: 52,
  InvalidIdField: 53,
  MaxSubPipelineDepthExceeded: 232,
  DurationOverflow: 159,
  NotSingleValueField: 54,
  NotExactValueField: 111,
  InvalidDBRef: 55,
  EmptyFieldName: 56,
  DottedFieldName: 57,
  ImmutableField: 66,
  WriteConcernFailed: 64,
  UnknownReplWriteConcern: 79,
  IndexOptionsConflict: 85,
  IndexKeySpecsConflict: 86,
  UnsatisfiableWriteConcern: 100,
  CursorKilled: 237,
  DuplicateKey: 11000,
  WriteConflict: 112,
  DocumentValidationFailure: 121,
  ReadConcernMajorityNotAvailableYet: 134,
  CommandNotSupported: 115,
  CommandNotSupportedOnView: 166,
  OptionNotSupportedOnView: 167,
  InvalidPipelineOperator: 168,
  ViewDepthLimitExceeded: 165,
  InvalidViewDefinition: 182,
  PrimarySteppedDown: 189,
  NotWritablePrimary: 10107,
  NotPrimaryNoSecondaryOk: 13435,
  NotPrimaryOrSecondary: 13436,
  InterruptedAtShutdown: 11600,
  Interrupted: 11601,
  InterruptedDueToReplStateChange: 11602,
  BSONObjectTooLarge: 10334,
  TransactionTooOld: 225,
  CappedPositionLost: 136,
  CursorInUse: 143,
  ConversionFailure: 241,
  JSInterpreterFailure: 139,
  NoSuchSession: 206,
  NoSuchTransaction: 251,
  TransactionCommitted: 256,
  TransactionTooLarge: 257,
  OperationNotSupportedInTransaction: 263,
  SnapshotUnavailable: 246,
  SnapshotTooOld: 239,
  ExceededMemoryLimit: 146,
  InvalidUUID: 207,
  TooManyFilesOpen: 264,
  ExceededTimeLimit: 262,
  ChangeStreamFatalError: 280,
  ChangeStreamHistoryLost: 286,
  NoQueryExecutionPlans: 291,
  QueryExceededMemoryLimitNoDiskUseAllowed: 292,
  APIVersionError: 322,
  APIStrictError: 323,
  APIDeprecationError: 324,
  APIMismatchError: 347,
  ConflictingOperationInProgress: 117,
  TransactionExceededLifetimeLimitSeconds: 290,
  NoMatchingDocument: 47,
  ClientDisconnect: 279,
  InvalidResumeToken: 260,
  FailPointSetFailed: 266,
  MechanismUnavailable: 334,
  IncompleteTransactionHistory: 217,
  QueryFeatureNotAllowed: 224,
  IncompatibleCollationVersion: 161,
  DatabaseDifferCase: 13297,
  QueryPlanKilled: 175,
  AmbiguousIndexKeyPattern: 181,
  InvalidIndexSpecificationOption: 197,
} as const;

export type ErrorCodeName = keyof typeof ErrorCodes;

const NAME_OF = new Map<number, string>(
  Object.entries(ErrorCodes)
    .reverse()
    .map(([name, code]) => [code, name]),
);

/** The code name a server reports for a number; codes without a name are reported as `Location<number>`. */
const codeNameOf = (code: number): string => NAME_OF.get(code) ?? `Location${code}`;

/** An error as MongoDB reports it: a command that throws one is answered `{ ok: 0, code, codeName, errmsg }`. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: number;
  readonly codeName: string;

  /** @param extra further fields of the reply, such as `keyPattern` and `keyValue` of a DuplicateKey */
  constructor(
    code: ErrorCodeName | number,
    message: string,
    readonly extra: Readonly<Record<string, unknown>> = {},
    readonly errorLabels: readonly string[] = [],
  ) {
    super(message);
    this.code = typeof code === 'number' ? code : ErrorCodes[code];
    this.codeName = codeNameOf(this.code);
  }
}

const INTERRUPTIONS = new Set<number>([
  ErrorCodes.MaxTimeMSExpired,
  ErrorCodes.Interrupted,
  ErrorCodes.InterruptedAtShutdown,
  ErrorCodes.CursorKilled,
  279, // ClientDisconnect
]);

/** Whether an error ends the whole command, whatever it was about: nobody may take it for an answer. */
export const isInterruption = (error: unknown): boolean =>
  error instanceof CommandError && INTERRUPTIONS.has(error.code);

/** The same error, its message told to have come up in `context`. */
export function inContext(error: unknown, context: string): unknown {
  const prefix = `${context} :: caused by :: `;
  if (error instanceof CommandError && !error.message.startsWith(prefix)) error.message = prefix + error.message;
  return error;
}
