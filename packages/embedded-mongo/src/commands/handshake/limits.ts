/** Limits that hello tells and commands enforce (manual: MongoDB Limits and Thresholds). */
export const MAX_BSON_SIZE = 16 * 1024 * 1024;
/** Of a document that the server makes, or is sent as a command: BSONObjMaxInternalSize. */
export const MAX_INTERNAL_BSON_SIZE = MAX_BSON_SIZE + 16 * 1024;
export const MAX_WRITE_BATCH_SIZE = 100_000;
/** MongoDB 7.0. */
export const MAX_WIRE_VERSION = 21;
export const MIN_WIRE_VERSION = 0;
/** `maxMessageSizeBytes` of the server: longer messages close their connection. */
export const MAX_MESSAGE_LENGTH = 48_000_000;
/** Of who has not authenticated where users have to: what mongod takes of them. */
export const MAX_PRE_AUTH_MESSAGE_LENGTH = 16 * 1024;
