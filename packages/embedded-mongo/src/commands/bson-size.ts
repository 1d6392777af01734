import { CommandError } from '../errors.js';
import { MAX_INTERNAL_BSON_SIZE } from './handshake/limits.js';

/** @throws CommandError BSONObjectTooLarge (10334) for a document that is longer than any that is sent */
export function assertBsonSize({ length }: Uint8Array): void {
  if (length <= MAX_INTERNAL_BSON_SIZE) return;
  throw new CommandError(
    'BSONObjectTooLarge',
    `BSONObj size: ${length} (0x${length.toString(16).toUpperCase()}) is invalid. Size must be between 0 and ${MAX_INTERNAL_BSON_SIZE}(16MB)`,
  );
}
