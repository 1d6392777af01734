import { Injectable } from '@nestjs/common';
import type { Connection } from 'mongoose';
import {
  OnDbConnect,
  OnDbDisconnect,
  OnDbError,
  PolyMongoModule,
  type PolyModel,
  type PolyMongoPools,
  type PolyMongoWrapper,
} from 'nestjs-polymongo';

interface Order {
  total: number;
}
type Orders = PolyModel<Order>;

export const configured = (mongoURI: string, reportsURI: string) =>
  // #region configured
  PolyMongoModule.forRoot({
    mongoURI,
    maxPoolSize: 20, // the primary pool: every database that is not named below
    dbSpecific: [
      { dbName: 'billing', options: { maxConnections: 5, coldStart: false } }, // connected before the application starts
      { dbName: 'reports', mongoURI: reportsURI, options: { autoClose: true, ttl: 60_000 } }, // another cluster
    ],
  });
// #endregion

export async function atRunTime({ scale }: PolyMongoWrapper, orders: Orders) {
  // #region at run time
  scale.setDB('acme', { maxConnections: 5 }); // from its next use on
  await scale.connectDB(['globex', 'initech'], { maxConnections: 2 }); // connected; rejects with the reason

  await orders.db('acme').countDocuments(); // on the pool of acme
  // #endregion
}

export const budgets = (mongoURI: string) =>
  // #region budgets
  PolyMongoModule.forRoot({
    mongoURI,
    maxPoolSize: 10,
    maxTotalConnections: 50, // sockets of all pools of this process together
    maxCachedDatabases: 1_000, // databases whose models stay in memory
    waitQueueTimeoutMS: 5_000, // how long a call waits for a socket, or for room in the budget
  });
// #endregion

export const patient = (mongoURI: string) =>
  // #region retry
  PolyMongoModule.forRoot({
    mongoURI,
    coldStart: false,
    retry: { attempts: 5, delayMS: 500 }, // 0.5, 1, 2, 4 s between them
    driverOptions: { serverSelectionTimeoutMS: 5_000 }, // each attempt
  });
// #endregion

export async function raw(pools: PolyMongoPools) {
  // #region raw
  const names = await pools.run('acme', (connection) => connection.db!.collection('orders').distinct('name'));
  // #endregion
  return names;
}

export async function observed({ stats }: PolyMongoWrapper) {
  // #region statistics
  const { primary, separateDB } = stats.general();
  const { inUseConnections, waitQueueSize } = primary.poolStats;
  const { sizeMb, collections } = await stats.db('acme');
  const clusters = await stats.listDatabases();
  // #endregion
  return { separateDB, inUseConnections, waitQueueSize, sizeMb, collections, clusters };
}

// #region hooks
@Injectable()
export class DatabaseLog {
  @OnDbConnect() // any database; with names, those
  async connected(connection: Connection) {
    await connection.collection('visits').insertOne({ at: new Date() }); // it works already
  }

  @OnDbDisconnect('billing', 'acme')
  async disconnecting(connection: Connection) {
    await connection.collection('visits').deleteMany({}); // it still works, and the close waits for this
  }

  @OnDbError()
  failed(error: unknown, { db, during }: { db: string; during: string }) {
    console.error(`${db}, ${during}:`, error); // a hook that failed, a connect in the background
  }
}
// #endregion

export function hooked(polymongo: PolyMongoWrapper) {
  // #region hooks by hand
  const takeBack = polymongo.onTheseDBConnect(['acme'], (connection) => console.log(`${connection.name} is there`));
  takeBack();
  // #endregion
}

export async function ended({ actions }: PolyMongoWrapper) {
  // #region shutdown
  await actions.closeAll(); // waits for running work, within shutdownTimeoutMS
  await actions.forceCloseAll(); // does not; also while closeAll() waits
  // #endregion
}
