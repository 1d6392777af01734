/** The way back into the scope that something was made in: runs a function there, wherever it is called. */
export type Scoped = <T>(fn: () => T) => T;

/** Gives the way back into the current scope; undefined when there is none to come back to. */
export type ScopeCapture = () => Scoped | undefined;
