import { chmodSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createLogger, format, transports } from 'winston';
import type { LogLine } from './log.sink.js';

const FILE_NAME = 'polymongo.log';
const FILE = /^polymongo\d*\.log$/;
const MAX_FILE_BYTES = 5 * 1024 ** 2;
const MAX_FILES = 5;
/** For the user of the process alone. */
const FILE_MODE = 0o600;

/** Writes lines to the console, and as JSON to rotated files in `folder`. */
export function createWinston(folder: string): { write(line: LogLine): void; close(): void } {
  const line = format.printf(({ timestamp, level, message, ...fields }) => {
    const details = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`);
    return [`${String(timestamp)} ${level} [PolyMongo] ${String(message)}`, ...details].join(' ');
  });
  restrictFiles(folder);
  const winston = createLogger({
    level: 'debug',
    format: format.json(),
    transports: [
      new transports.Console({ format: line }),
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
    write: ({ fields, ...entry }) => void winston.log({ ...entry, ...fields }),
    close: () => void winston.close(),
  };
}

/** Log files of an earlier version, which anybody on the machine could read. */
function restrictFiles(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) if (FILE.test(name)) chmodSync(join(folder, name), FILE_MODE);
}
