const DEFAULT_PORT = 3000;

/** The port to listen on: `PORT`, else 3000. @throws when PORT is no port */
export function portFromEnvironment({ PORT }: NodeJS.ProcessEnv): number {
  if (!PORT) return DEFAULT_PORT;
  const port = Number(PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`PORT must be a number from 0 to 65535, not "${PORT}".`);
  return port;
}

/** Says why the application cannot start, and what to do. */
export function describeStartError(error: unknown, port: number): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return `Port ${port} is taken by another program. Choose another one: PORT=${port + 1} npm start`;
  if (code === 'EACCES') return `Port ${port} is not open to you. Choose one above 1023: PORT=3000 npm start`;
  return message;
}
