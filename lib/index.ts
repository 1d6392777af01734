export { InjectPolyConnection } from './decorators/inject-poly-connection.decorator.js';
export { InjectPolyMongo } from './decorators/inject-poly-mongo.decorator.js';
export { InjectPolyModel } from './decorators/inject-poly-model.decorator.js';
export { InjectTenantModel, type InjectTenantModelOptions } from './decorators/inject-tenant-model.decorator.js';
export { Migration } from './decorators/migration.decorator.js';
export { OnChange } from './decorators/on-change.decorator.js';
export { OnDbConnect } from './decorators/on-db-connect.decorator.js';
export { OnDbDisconnect } from './decorators/on-db-disconnect.decorator.js';
export { OnDbError } from './decorators/on-db-error.decorator.js';
export { Transactional, type TransactionalOptions } from './decorators/transactional.decorator.js';
export { WithJobTenant } from './decorators/with-job-tenant.decorator.js';
export { WithTenant } from './decorators/with-tenant.decorator.js';
export {
  ChangeBufferOverflowError,
  ChangeStreamHistoryLostError,
  ChangeStreamInvalidatedError,
  InvalidResumeTokenError,
} from './providers/watch/change-stream.errors.js';
export {
  ConnectionBudgetError,
  ConnectionOwnershipError,
  OtherDatabaseError,
  PolyMongoClosedError,
  PoolConnectError,
  PoolClosedInQueueError,
  PoolForceClosedError,
  PoolQueueTimeoutError,
  PoolInitializingError,
  ReconfigurationPendingError,
} from './providers/pools/pool.errors.js';
export {
  ConnectionPluginError,
  ModelDatabaseError,
  ModelDeletionError,
} from './providers/connections/connection.errors.js';
export {
  DuplicateRootError,
  InvalidDatabaseNameError,
  PolyMongoError,
  PolyMongoOptionsError,
} from './polymongo.errors.js';
export {
  AmbiguousPathError,
  InvalidTenantIdError,
  TenantAheadError,
  TenantBehindError,
  TenantConflictError,
  TenantClusterUnknownError,
  TenantDatabaseTakenError,
  TenantError,
  TenantOverloadedError,
  TenantMissingError,
  TenantOutOfStepError,
  TenantPendingError,
  TenantSwitchError,
  TenantUnknownError,
} from './providers/tenant/tenant.errors.js';
export {
  ClusterUnreachableError,
  TenantMovingError,
  MigrationsMissingError,
  TenantBusyError,
  TenantTakenOverError,
  TenantConfirmationError,
  TenantDuplicatesError,
  TenantGuardOrderError,
  TenantInUseError,
  TenantJobError,
  TenantLookupError,
  TenantPlacedError,
  TenantNotReadyError,
  TenantRemovalError,
  TenantTaskError,
  type TenantLookup,
} from './providers/tenant/tenant-work.errors.js';
export { IndexMismatchError, type IndexDifference } from './providers/models/index.errors.js';
export {
  BlueprintModelError,
  ModelAlreadyRegisteredError,
  ModelBindingError,
  ModelExtensionError,
  ModelNotRegisteredError,
  TenantModelWrapError,
} from './providers/models/model.errors.js';
export {
  SessionMismatchError,
  TransactionEndedError,
  TransactionUnsupportedError,
} from './providers/sessions/session.errors.js';
export { TransactionPropagationError } from './providers/transaction/transaction.errors.js';
export {
  MigrationBusyError,
  MigrationChangedError,
  MigrationDefinitionError,
  MigrationError,
  MigrationFailedError,
  MigrationHalfDoneError,
  MigrationIrreversibleError,
  MigrationMissingError,
  MigrationOrderError,
  MigrationTakenOverError,
  MigrationUnknownError,
} from './providers/migrations/migration.errors.js';
export {
  PolyMongoMigrationsModule,
  type MigrationsModuleAsyncOptions,
  type MigrationsModuleOptions,
} from './polymongo-migrations.module.js';
export { PolyMongoModule } from './polymongo.module.js';
export type {
  AsyncModelDefinition,
  MongooseToken,
  MongooseTokens,
  PolyMongoModuleAsyncOptions,
  PolyMongoModuleOptions,
  PolyMongoOptionsFactory,
} from './polymongo.module-options.js';
export type { Plugin, PolyMongoOptions, RetryOptions } from './polymongo.options.js';
export type { ClusterOptions } from './polymongo.cluster-options.js';
export type { DBSpecificConfig, ScaleOptions } from './polymongo.pool-options.js';
export type { SuspensionOptions } from './polymongo.suspension-options.js';
export type { TenantLimit, TenantLimits } from './polymongo.tenant-limits.js';
export type {
  EnteredTenant,
  TenantConnection,
  TenantOptions,
  TenantRequest,
  TenantResolver,
  TenantResolverClass,
  TenantResolverOption,
  TenantResolverProvider,
  TenantSurroundings,
} from './polymongo.tenant-options.js';
export { getPolyMongoToken, type PolyMongoPart } from './polymongo.parts.js';
export type { OfRoot } from './providers/hooks/hook.metadata.js';
export { getPolyConnectionToken, getPolyModelToken, getTenantModelToken, TENANT_ID } from './polymongo.tokens.js';
export { PolyMongoWrapper, type ConnectionState } from './polymongo.wrapper.js';
export {
  BulkArgumentError,
  BulkFormatError,
  BulkReadError,
  BulkTaskError,
  BulkWriteError,
  type FilePosition,
} from './providers/bulk/bulk.errors.js';
export type {
  AnyImportOptions,
  BulkCheckpoint,
  BulkFailure,
  BulkOptions,
  BulkProgress,
  BulkReadOptions,
  BulkSelection,
  BulkSummary,
  BulkTaskOptions,
  CollectionSummary,
  CopyOptions,
  ExportData,
  ExportedCollection,
  ExportStream,
  ExportStreamOptions,
  ImportOptions,
} from './providers/bulk/bulk.types.js';
export type { ExportCollectionOptions, ImportCollectionOptions } from './providers/bulk/collection-file.types.js';
export { PolyMongoBulk } from './providers/bulk/polymongo-bulk.provider.js';
export type {
  ClusterHealth,
  HealthOptions,
  HealthReport,
  PoolHealth,
  PoolHealthState,
} from './providers/health/health.types.js';
export { PolyMongoHealth } from './providers/health/polymongo-health.provider.js';
export {
  PolyMongoHooks,
  type DbErrorHook,
  type DbHook,
  type Unregister,
} from './providers/hooks/polymongo-hooks.provider.js';
export type { ModelDefinition } from './providers/models/model.registry.js';
export type {
  AnyModel,
  DatabaseModel,
  DocumentOf,
  ModelExtensions,
  PolyModel,
  PolyModelOf,
  TenantModel,
  WrappedModel,
} from './providers/models/model.types.js';
export type { IndexDefinition, IndexPlan, SyncIndexesOptions } from './providers/databases/database.indexes.js';
export type { MigrationLogLine, MigrationsOptions } from './providers/migrations/migration.options.js';
export type {
  MigrationContext,
  MigrationFunction,
  MigrationInstance,
  MigrationRecord,
  MigrationRecords,
  MigrationScript,
  MigrationStep,
  MigrationTraits,
} from './providers/migrations/migration.types.js';
export type { MigrationFactory } from './providers/migrations/migrations.assembly.js';
export {
  PolyMongoMigrations,
  type MigrateDownOptions,
  type TenantMigrationStatus,
} from './providers/migrations/polymongo-migrations.provider.js';
export { PolyMongoPools } from './providers/pools/polymongo-pools.provider.js';
export type { PoolStats } from './providers/pools/pool.statistics.js';
export type { DatabaseSizes } from './providers/stats/database.sizes.js';
export {
  PolyMongoStats,
  type ConnectionStats,
  type DbStats,
  type PoolConfigView,
  type SeparatePoolStats,
  type TenantStats,
} from './providers/stats/polymongo-stats.provider.js';
export {
  PolyMongoTenants,
  type TenantStatsOptions,
  type NewTenantOptions,
  type ProvisionOptions,
} from './providers/tenant/polymongo-tenants.provider.js';
export type { MigratedStep, MigrateOptions, TenantMigration } from './providers/tenant/tenant.migrations.js';
export {
  BackupDamagedError,
  BackupExistsError,
  BackupMissingError,
  SnapshotExpiredError,
  TenantNotEmptyError,
} from './providers/bulk/backup/backup.errors.js';
export type {
  BackupCollection,
  BackupManifest,
  BackupOptions,
  BackupPart,
  BackupSource,
  BackupTarget,
  CloneOptions,
  RestoreOptions,
  TenantRestoration,
  VerifyOptions,
} from './providers/tenant/tenant.backups.js';
export {
  SuspensionOffError,
  TenantSuspendedError,
  TenantUnfinishedError,
} from './providers/tenant/suspension.errors.js';
export type { TenantCriteria, TenantInfo, TenantOverview } from './providers/tenant/tenant.census.js';
export type { ProvisionedTenant } from './providers/tenant/tenant.provisioning.js';
export type { TenantSuspension } from './providers/tenant/tenant.suspensions.js';
export { eachTenant } from './providers/tenant/tenant.pipelines.js';
export { TenantRun } from './providers/tenant/tenant.run.js';
export { TenantContext } from './providers/tenant/tenant.context.js';
export { TenantContextIdStrategy } from './providers/tenant/tenant.context-id.strategy.js';
export type { ForEachOptions, TenantResult, TenantTask, TenantTaskContext } from './providers/tenant/tenant.fan-out.js';
export { TenantGuard } from './providers/tenant/tenant.guard.js';
export { TenantInterceptor } from './providers/tenant/tenant.interceptor.js';
export { TenantJobs, type TenantJob } from './providers/tenant/tenant.jobs.js';
export { TenantMessages, type JobFlow } from './providers/tenant/tenant.messages.js';
export { TenantExceptionFilter } from './providers/tenant/tenant.exception-filter.js';
export {
  afterGuards,
  fromClaim,
  fromCookie,
  fromHeader,
  fromPath,
  fromPayload,
  fromSubdomain,
} from './providers/tenant/tenant.resolvers.js';
export {
  PolyMongoTransactions,
  type TransactionFunction,
} from './providers/transaction/polymongo-transactions.provider.js';
export type {
  InTransactionOptions,
  Propagation,
  TransactionRunOptions,
} from './providers/transaction/transaction.options.js';
export { ChangeObservable } from './providers/watch/change.observable.js';
export type { Change } from './providers/watch/change.types.js';
export { CollectionTokenStore } from './providers/watch/collection.token-store.js';
export { FileTokenStore } from './providers/watch/file.token-store.js';
export type { OnChangeOptions } from './providers/watch/on-change.metadata.js';
export { PolyMongoWatch, type DatabaseWatchOptions } from './providers/watch/polymongo-watch.provider.js';
export { MemoryTokenStore, type ResumeToken, type ResumeTokenStore } from './providers/watch/resume-token.store.js';
export type { WatchableModel } from './providers/watch/watch.model.js'; // whose types every model has
export type {
  DriverWatchOptions,
  OperationType,
  ProcessOptions,
  Reconnect,
  WatchOptions,
} from './providers/watch/watch.options.js';
export {
  MoveDifferenceError,
  MoveLeftoverError,
  MoveObstructedError,
  MoveRefusedError,
} from './providers/bulk/move/move.errors.js';
export type {
  MoveOptions,
  MoveProgress,
  MoveWaitOptions,
  RollbackOptions,
  TenantMove,
} from './providers/tenant/tenant.moves.js';
