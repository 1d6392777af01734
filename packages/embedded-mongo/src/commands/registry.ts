import { createRole, dropRole, rolesInfo, updateRole } from './auth/role.commands.js';
import { logout, saslContinue, saslStart } from './auth/sasl.commands.js';
import {
  authenticate,
  createUser,
  dropAllUsersFromDatabase,
  dropUser,
  grantRolesToUser,
  revokeRolesFromUser,
  updateUser,
} from './auth/user.commands.js';
import { usersInfo } from './auth/users-info.command.js';
import type { Command } from './command.js';
import { count } from './crud/count.command.js';
import { aggregate } from './aggregate/aggregate.command.js';
import { mapReduce } from './aggregate/map-reduce.command.js';
import { deleteCommand } from './crud/delete.command.js';
import { distinct } from './crud/distinct.command.js';
import { findAndModify } from './crud/find-and-modify.command.js';
import { update } from './crud/update.command.js';
import { find } from './crud/find.command.js';
import { insert } from './crud/insert.command.js';
import { getMore } from './cursor/get-more.command.js';
import { killCursors } from './cursor/kill-cursors.command.js';
import { cloneCollectionAsCapped, convertToCapped } from './ddl/capped.commands.js';
import { collMod } from './ddl/coll-mod.command.js';
import { create } from './ddl/create.command.js';
import { dropDatabase, listDatabases } from './ddl/database.commands.js';
import { drop } from './ddl/drop.command.js';
import { createIndexes, dropIndexes, listIndexes } from './ddl/index.commands.js';
import { listCollections } from './ddl/list-collections.command.js';
import { renameCollection } from './ddl/rename-collection.command.js';
import {
  createSearchIndexes,
  dropSearchIndex,
  listSearchIndexes,
  updateSearchIndex,
} from './ddl/search-index.commands.js';
import { currentOp, killOp } from './diagnostics/current-op.command.js';
import { collStats, dbStats, validate } from './diagnostics/stats.commands.js';
import { buildInfo } from './diagnostics/build-info.command.js';
import { connectionStatus } from './diagnostics/connection-status.command.js';
import { explainOf } from './diagnostics/explain.command.js';
import { listCommandsOf } from './diagnostics/list-commands.command.js';
import { getCmdLineOpts, getLog, whatsmyuri } from './diagnostics/process.commands.js';
import { getDefaultRWConcern, replSetGetConfig, replSetGetStatus } from './diagnostics/replica-set.commands.js';
import { hostInfo } from './diagnostics/host-info.command.js';
import { getParameter, setParameter } from './diagnostics/parameter.commands.js';
import { compact, dataSize, fsync, planCacheClear, reIndex } from './diagnostics/maintenance.commands.js';
import { ping } from './diagnostics/ping.command.js';
import { profile } from './diagnostics/profile.command.js';
import { serverStatus } from './diagnostics/server-status.command.js';
import { testVersion2, testVersions1And2 } from './diagnostics/test.commands.js';
import { configureFailPoint } from './fail-point/configure-fail-point.command.js';
import { hello } from './handshake/hello.command.js';
import {
  endSessions,
  killAllSessions,
  killAllSessionsByPattern,
  killSessions,
  refreshSessions,
  startSession,
} from './session/session.commands.js';
import { abortTransaction, commitTransaction } from './session/transaction.commands.js';

/** Every command this server has. Any other is answered CommandNotFound (59). */
const COMMANDS: readonly Command[] = [
  abortTransaction,
  aggregate,
  authenticate,
  buildInfo,
  cloneCollectionAsCapped,
  collMod,
  collStats,
  commitTransaction,
  compact,
  configureFailPoint,
  connectionStatus,
  convertToCapped,
  count,
  create,
  createIndexes,
  createRole,
  createSearchIndexes,
  createUser,
  currentOp,
  dataSize,
  dbStats,
  deleteCommand,
  distinct,
  drop,
  dropAllUsersFromDatabase,
  dropDatabase,
  dropIndexes,
  dropRole,
  dropSearchIndex,
  dropUser,
  endSessions,
  explainOf((name) => findCommand(name)),
  find,
  findAndModify,
  fsync,
  getCmdLineOpts,
  getDefaultRWConcern,
  getLog,
  getMore,
  getParameter,
  grantRolesToUser,
  hello,
  hostInfo,
  insert,
  killAllSessions,
  killAllSessionsByPattern,
  killCursors,
  killOp,
  killSessions,
  listCollections,
  listCommandsOf(() => COMMANDS),
  listDatabases,
  listIndexes,
  listSearchIndexes,
  logout,
  mapReduce,
  ping,
  planCacheClear,
  profile,
  reIndex,
  refreshSessions,
  renameCollection,
  replSetGetConfig,
  replSetGetStatus,
  revokeRolesFromUser,
  rolesInfo,
  saslContinue,
  saslStart,
  serverStatus,
  setParameter,
  startSession,
  testVersion2,
  testVersions1And2,
  update,
  updateRole,
  updateSearchIndex,
  updateUser,
  usersInfo,
  validate,
  whatsmyuri,
];

const BY_NAME = new Map(
  COMMANDS.flatMap((command) => [command.name, ...(command.aliases ?? [])].map((name) => [name, command] as const)),
);

export const findCommand = (name: string): Command | undefined => BY_NAME.get(name);

export const allCommands = (): readonly Command[] => COMMANDS;
