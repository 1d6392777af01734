import { logout, saslContinue, saslStart } from './auth/sasl.commands.js';
import type { Command } from './command.js';
import { buildInfo } from './diagnostics/build-info.command.js';
import { connectionStatus } from './diagnostics/connection-status.command.js';
import { hostInfo } from './diagnostics/host-info.command.js';
import { getParameter, setParameter } from './diagnostics/parameter.commands.js';
import { ping } from './diagnostics/ping.command.js';
import { serverStatus } from './diagnostics/server-status.command.js';
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
  buildInfo,
  commitTransaction,
  configureFailPoint,
  connectionStatus,
  endSessions,
  getParameter,
  hello,
  hostInfo,
  killAllSessions,
  killAllSessionsByPattern,
  killSessions,
  logout,
  ping,
  refreshSessions,
  saslContinue,
  saslStart,
  serverStatus,
  setParameter,
  startSession,
];

const BY_NAME = new Map(
  COMMANDS.flatMap((command) => [command.name, ...(command.aliases ?? [])].map((name) => [name, command] as const)),
);

export const findCommand = (name: string): Command | undefined => BY_NAME.get(name);
