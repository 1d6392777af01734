let made = 0;

/** A database name that no other test uses, also on a server that other test files share. */
export const uniqueName = (prefix: string): string =>
  `${prefix}_${process.pid.toString(36)}_${Date.now().toString(36)}_${++made}`;
