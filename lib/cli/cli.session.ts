import type { PolyMongoOptions } from '../polymongo.options.js';
import type { PolyMongoWrapper } from '../polymongo.wrapper.js';
import { type CliIO, UsageError } from './cli.io.js';

const SERVER_SELECTION_MS = 10_000;

/** Options that every command has. */
export interface GlobalOptions {
  readonly uri?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** The connection string: `--uri`, else POLYMONGO_URI, else MONGODB_URI. @throws UsageError */
export function uriOf({ uri }: GlobalOptions, { env }: CliIO): string {
  const found = uri ?? env['POLYMONGO_URI'] ?? env['MONGODB_URI'];
  if (!found) throw new UsageError('No server given. Use --uri mongodb://…, or set MONGODB_URI in the environment.');
  return found;
}

/** Runs `work` with a wrapper on the server, and closes it. mongoose and Nest are loaded here, so that `--help` is quick. */
export async function withWrapper<T>(
  mongoURI: string,
  work: (wrapper: PolyMongoWrapper) => Promise<T>,
  options: Partial<PolyMongoOptions> = {},
): Promise<T> {
  // Whoever types a wrong address does not want to wait half a minute, unless the address says so.
  const isPatient = /[?&]serverSelectionTimeoutMS=/i.test(mongoURI);
  const driverOptions = isPatient ? {} : { serverSelectionTimeoutMS: SERVER_SELECTION_MS };
  const [{ Logger }, { PolyMongoWrapper }] = await Promise.all([
    import('@nestjs/common'),
    import('../polymongo.wrapper.js'),
  ]);
  Logger.overrideLogger(false); // it would write into the output; errors are told by the command
  const wrapper = new PolyMongoWrapper({
    ...options,
    mongoURI,
    driverOptions: { ...driverOptions, ...options.driverOptions },
    handleSignals: false,
  }); // signals are the command line's
  try {
    return await work(wrapper);
  } finally {
    await wrapper.actions.closeAll();
  }
}
