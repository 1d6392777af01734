import { inspect } from 'node:util';
import type { mongo } from 'mongoose';
import { redactError } from '../../polymongo.error-secrets.js';
import type { PoolConfig } from '../../polymongo.pool-options.js';
import { secretsOf } from '../../polymongo.secrets.js';

/** What holds secrets inside of the driver, in versions 6.17 to 7.9; undefined where another one has it elsewhere. */
interface DriverClient {
  /** The options that pools, monitors and sockets have copies of; their own symbols are copied, too. */
  readonly s?: { readonly options?: { credentials?: object } };
  readonly topology?: { readonly s?: { readonly servers?: ReadonlyMap<string, object> } };
}

/**
 * Has a client, and all that the driver makes for it, show themselves without secrets: cursors, streams and builders lead to
 * its topology and servers, those to sockets with the options of TLS. Errors of sockets are redacted before anybody has them.
 */
export function keepSecretsOf(client: mongo.MongoClient, config: PoolConfig): void {
  const { s, topology } = client as unknown as DriverClient;
  hide(client, `MongoClient of ${config.dbName}`);
  if (s?.options) {
    const { credentials } = s.options;
    hide(s.options, `options of the MongoClient of ${config.dbName}`, true);
    if (credentials) s.options.credentials = hidden(credentials);
  }
  const hideTopology = () => {
    const { topology } = client as unknown as DriverClient;
    if (!topology) return;
    hide(topology, `Topology of ${config.dbName}`);
    for (const server of topology.s?.servers?.values() ?? []) hide(server, `Server of ${config.dbName}`);
  };
  if (topology) hideTopology();
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
