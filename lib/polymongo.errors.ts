/** On errors that have another class above them; shared by the ESM and CommonJS builds. */
const MARK = Symbol.for('polymongo.error');

/** Root of every error this package throws. Tell them apart by `instanceof`, never by their text. */
export class PolyMongoError extends Error {
  /** Also those of its errors that have to be another framework's, such as Nest's HttpException. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    return this === PolyMongoError && typeof value === 'object' && value !== null && MARK in value;
  }

  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Makes the instances of an error class `instanceof PolyMongoError` that cannot extend it. */
export const markAsPolyMongoError = (type: abstract new (...args: never[]) => Error): void =>
  void Object.defineProperty(type.prototype, MARK, { value: true });

/** An option is missing, of the wrong type or out of range. */
export class PolyMongoOptionsError extends PolyMongoError {
  constructor(
    /**
     * The option with the way to it, such as `retry.attempts` or `dbSpecific[0].options.ttl`; of `forFeature`
     * `definitions[0].schema`.
     */
    readonly option: string,
    message: string,
  ) {
    super(message);
  }
}

/** `PolyMongoModule.forRoot()` is there more than once, without a name or with the same one. */
export class DuplicateRootError extends PolyMongoError {
  constructor(
    /** How many imports of `forRoot()` and `forRootAsync()` there are, at least 2. */
    readonly roots: number,
    /** The name that they share; undefined when they have none. */
    readonly root?: string,
  ) {
    super(
      `PolyMongoModule.forRoot() is imported ${roots} times ${root === undefined ? 'without a name' : `with the name '${root}'`}; ` +
        'whose pools and tenants a model would get was chance. Import it once, in the root module, and forFeature() elsewhere; ' +
        'databases on other clusters are dbSpecific or tenant.connection. For another root beside it, with tenants of its own, ' +
        "give that a name of its own: forRoot({ name: 'audit', … }), and forFeature(definitions, 'audit').",
    );
  }
}

/** A name that MongoDB does not accept for a database. */
export class InvalidDatabaseNameError extends PolyMongoError {
  constructor(
    /** What is wrong with it, as in `contains "/"` or `is longer than 63 bytes`; the name itself is not repeated. */
    readonly reason: string,
  ) {
    super(`Invalid database name: it ${reason}. Use 1 to 63 bytes without / \\ . " $ * < > : | ? space or NUL.`);
  }
}

/** Whether an error, or one of its causes, is one of these. */
export function isCausedBy(error: unknown, isOne: (cause: Error) => boolean): boolean {
  for (let each = error; each instanceof Error; each = each.cause) if (isOne(each)) return true;
  return false;
}

/** What an error says, to be put in the middle of a sentence. */
export const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
