import mongoose from 'mongoose';
import type { mongo } from 'mongoose';
import type { PoolConfig } from '../../polymongo.options.js';
import { PolyMongoOptionsError } from '../../polymongo.errors.js';
import { parseMongoURI, redactURI } from '../../polymongo.uri.js';

/**
 * Makes the MongoClient of a pool; it does not connect yet. It is kept for the life of the configuration: a client
 * that was closed can connect again, and so whatever was made from it stays good.
 */
export function createClient(config: PoolConfig): mongo.MongoClient {
  const inURI = parseMongoURI(config.mongoURI).options;
  const options: mongo.MongoClientOptions = {
    ...config.driverOptions,
    maxPoolSize: config.maxConnections,
    minPoolSize: config.minConnections,
    waitQueueTimeoutMS: config.waitQueueTimeoutMS,
    ...(config.idleTimeoutMS !== undefined && { maxIdleTimeMS: config.idleTimeoutMS }),
  };
  // mongoose connects with its own name; ours only where nobody gave one.
  if (!options.appName && !inURI.has('appname')) options.appName = `polymongo:${config.dbName}`;
  try {
    const client = new mongoose.mongo.MongoClient(config.mongoURI, options);
    client.setMaxListeners(0);
    return client;
  } catch (error) {
    const reason = redactURI(error instanceof Error ? error.message : String(error));
    throw new PolyMongoOptionsError(
      'mongoURI',
      `mongoURI or driverOptions of ${config.dbName} were refused by the driver: ${reason}.`,
    );
  }
}
