import mongoose from 'mongoose';
import type { Collection, Mongoose, mongo } from 'mongoose';
import type { Listener } from '../sessions/subscriber.listener.js';

/** What ours touches of mongoose's connection class; the rest is inherited as it is. */
export interface NativeConnection {
  base: Mongoose;
  name: string;
  models: Record<string, unknown>;
  collections: Record<string, Collection>;
  _hasOpened: boolean;
  on(event: string, listener: Listener): unknown;
  prependListener(event: string, listener: Listener): unknown;
  removeListener(event: string, listener: Listener): unknown;
  aggregate(pipeline?: object[], options?: object): { exec(): Promise<unknown> };
  bulkWrite(...args: unknown[]): Promise<unknown>;
  createCollection(...args: unknown[]): Promise<unknown>;
  deleteModel(name: string | RegExp): unknown;
  model(this: object, ...args: unknown[]): object;
  modelNames(): string[];
  dropDatabase(): Promise<unknown>;
  dropCollection(name: string): Promise<unknown>;
  listCollections(): Promise<unknown>;
  listDatabases(): Promise<unknown>;
  transaction(...args: unknown[]): Promise<unknown>;
  withSession(work: (session: mongo.ClientSession) => Promise<unknown>): Promise<unknown>;
}
export const Native = mongoose.connection.constructor as unknown as {
  new (base: Mongoose): NativeConnection;
  prototype: NativeConnection;
};
