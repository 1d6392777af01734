import { PolyMongoWrapper } from '../polymongo.wrapper.js';
import { type CliIO, UsageError } from './cli.io.js';

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

/** Runs `work` with a wrapper on the server, and closes it. */
export async function withWrapper<T>(mongoURI: string, work: (wrapper: PolyMongoWrapper) => Promise<T>): Promise<T> {
  // The command line handles signals itself.
  const wrapper = new PolyMongoWrapper({ mongoURI, driverOptions: { serverSelectionTimeoutMS: 10_000 } }, 'nest');
  try {
    return await work(wrapper);
  } finally {
    await wrapper.actions.closeAll();
  }
}
