import { inspect } from 'node:util';
import mongoose, { type mongo } from 'mongoose';
import { redactError } from '../../polymongo.error-secrets.js';
import type { PoolConfig } from '../../polymongo.pool-options.js';
import { secretsOf } from '../../polymongo.secrets.js';
import { optionsOf, serversOf, topologyOf } from '../native/driver.private.js';
import { checkConnected } from '../native/private.check.js';

/**
 * Has a client, and all that the driver makes for it, show themselves without secrets: cursors, streams and builders lead to
 * its topology and servers, those to sockets with the options of TLS. Errors of sockets are redacted before anybody has them.
 */
export function keepSecretsOf(client: mongo.MongoClient, config: PoolConfig): void {
  const options = optionsOf(client);
  hide(client, `MongoClient of ${config.dbName}`);
  if (options) {
    const { credentials } = options;
    hide(options, `options of the MongoClient of ${config.dbName}`, true);
    if (credentials) options.credentials = hidden(credentials);
  }
  const hideTopology = () => {
    const topology = topologyOf(client);
    if (!topology) return;
    hide(topology, `Topology of ${config.dbName}`);
    for (const server of serversOf(topology)) hide(server, `Server of ${config.dbName}`);
  };
  if (topologyOf(client)) hideTopology();
  client.once('connectionPoolCreated', () => checkConnected(client, mongoose.version));
  client.on('topologyOpening', hideTopology);
  client.on('connectionPoolCreated', hideTopology);
  const secrets = secretsOf(config);
  client.on('connectionClosed', (event) => redactError((event as { error?: unknown }).error, secrets));
  client.on('serverHeartbeatFailed', ({ failure }) => redactError(failure, secrets));
}

/** @param isCopied copies that are made of it by `{ ...it }` show themselves the same */
function hide(object: object, shown: string, isCopied = false): void {
  const display = { value: () => shown, enumerable: isCopied, configurable: true };
  Object.defineProperties(object, { toJSON: display, [inspect.custom]: display });
}

/** Credentials are frozen, and each of them is asked for what it is. */
function hidden(credentials: object): object {
  const prototype = Object.create(Object.getPrototypeOf(credentials) as object) as object;
  hide(prototype, 'MongoCredentials');
  return Object.freeze(Object.create(prototype, Object.getOwnPropertyDescriptors(credentials)) as object);
}
