import { Logger } from '@nestjs/common';
import type { ResolvedOptions } from '../../polymongo.options.js';
import { redactURI } from '../../polymongo.uri.js';

type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What goes with a line: names, states and durations, never a document. */
type LogFields = Readonly<Record<string, string | number | undefined>>;

export interface LogLine {
  readonly timestamp: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** Where log lines go. */
export interface LogSink {
  write(level: LogLevel, message: string, fields: LogFields): void;
  close(): void;
}

type NestLogger = Pick<Logger, 'warn' | 'error'>;

/** With `debug` winston, to the console and to rotated files under `logPath`; else Nest's logger, from warnings up. */
export const createSink = ({
  name,
  debug,
  logPath,
}: Pick<ResolvedOptions, 'debug' | 'logPath'> & { readonly name?: string | undefined }): LogSink => {
  const nest = new Logger(name === undefined ? 'PolyMongo' : `PolyMongo ${name}`);
  return debug ? createDebugSink(logPath, nest) : createNestSink(nest);
};

/** winston takes 35 to 50 ms to load: only who asks for it pays, and what is written meanwhile waits. */
function createDebugSink(folder: string, nest: NestLogger): LogSink {
  const winston = import('./winston.sink.js').then(({ createWinston }) => createWinston(folder));
  winston.catch((error: unknown) => nest.error(`debug: no log in ${folder}: ${redactURI(String(error))}`));
  const whenReady = (use: (sink: Awaited<typeof winston>) => void) => void winston.then(use, () => {});
  return {
    write(level, message, fields) {
      const timestamp = new Date().toISOString();
      const line = { timestamp, level, message: redactURI(message), fields: redacted(fields) };
      whenReady((sink) => sink.write(line));
    },
    close: () => whenReady((sink) => sink.close()),
  };
}

/** @param logger Nest's, or what an application put in its place */
export function createNestSink(logger: NestLogger): LogSink {
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
