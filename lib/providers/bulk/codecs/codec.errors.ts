/** Bytes that are not a BSON document. `position` counts from the start of the buffer that was read. */
export class InvalidBsonError extends Error {
  override readonly name = 'InvalidBsonError';
  constructor(
    readonly reason: string,
    readonly position: number,
  ) {
    super(`Invalid BSON at byte ${position}: ${reason}.`);
  }
}

/** Text that is not JSON, or not Extended JSON. `position` counts bytes from the start of the buffer that was read. */
export class InvalidJsonError extends Error {
  override readonly name = 'InvalidJsonError';
  constructor(
    readonly reason: string,
    readonly position: number,
  ) {
    super(`Invalid Extended JSON at byte ${position}: ${reason}.`);
  }
}

/** A document larger than a server takes. `position` is where it begins. */
export class DocumentTooLargeError extends Error {
  override readonly name = 'DocumentTooLargeError';
  constructor(
    readonly limit: number,
    readonly position: number,
  ) {
    super(`The document is larger than ${limit} bytes of BSON.`);
  }
}
