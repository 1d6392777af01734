/** What an operation failed with: the server's code where it has one, else the name of the error's class. */
export interface Failure {
  readonly type: string;
  /** Of the server. */
  readonly code: string | undefined;
}

/** @see https://opentelemetry.io/docs/specs/semconv/attributes-registry/error/ */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { type: '_OTHER', code: undefined };
  const { code, name } = error as Error & { code?: unknown };
  const ofServer = typeof code === 'number' ? String(code) : undefined;
  return { type: ofServer ?? name, code: ofServer };
}
