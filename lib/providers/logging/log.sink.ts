import { Logger } from '@nestjs/common';
import { chmodSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createLogger, format, transports } from 'winston';
import type { ResolvedOptions } from '../../polymongo.options.js';
import { redactURI } from '../../polymongo.uri.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What goes with a line: names, states and durations, never a document. */
export type LogFields = Readonly<Record<string, string | number | undefined>>;

/** Where log lines go. */
export interface LogSink {
  write(level: LogLevel, message: string, fields: LogFields): void;
  close(): void;
}

const FILE_NAME = 'polymongo.log';
const FILE = /^polymongo\d*\.log$/;
const MAX_FILE_BYTES = 5 * 1024 ** 2;
const MAX_FILES = 5;
/** For the user of the process alone. */
const FILE_MODE = 0o600;

/** With `debug` winston, to the console and to rotated files under `logPath`; else Nest's logger, from warnings up. */
export const createSink = ({ debug, logPath }: Pick<ResolvedOptions, 'debug' | 'logPath'>): LogSink =>
  debug ? createWinstonSink(logPath) : createNestSink(new Logger('PolyMongo'));

function createWinstonSink(folder: string): LogSink {
  const line = format.printf(({ timestamp, level, message, ...fields }) => {
    const details = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`);
    return [`${String(timestamp)} ${level} [PolyMongo] ${String(message)}`, ...details].join(' ');
  });
  restrictFiles(folder);
  const winston = createLogger({
    level: 'debug',
    format: format.combine(format.timestamp(), format.json()),
    transports: [
      new transports.Console({ format: format.combine(format.timestamp(), line) }),
      new transports.File({
        filename: join(folder, FILE_NAME),
        options: { flags: 'a', mode: FILE_MODE },
        maxsize: MAX_FILE_BYTES,
        maxFiles: MAX_FILES,
        tailable: true,
      }),
    ],
  });
  return {
    write: (level, message, fields) => void winston.log(level, redactURI(message), redacted(fields)),
    close: () => void winston.close(),
  };
}

/** Log files of an earlier version, which anybody on the machine could read. */
function restrictFiles(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) if (FILE.test(name)) chmodSync(join(folder, name), FILE_MODE);
}

/** @param logger Nest's, or what an application put in its place */
export function createNestSink(logger: Pick<Logger, 'warn' | 'error'>): LogSink {
  return {
    write(level, message, fields) {
      if (level !== 'warn' && level !== 'error') return;
      const details = Object.entries(redacted(fields)).map(([name, value]) => `${name}=${value}`);
      logger[level]([redactURI(message), ...details].join(' '));
    },
    close() {},
  };
}

const redacted = (fields: LogFields): LogFields =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, typeof value === 'string' ? redactURI(value) : value]),
  );
