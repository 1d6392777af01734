import { mongo } from 'mongoose';

/** What one server sees of its clients, asked over a connection of the probe's own. */
export class ServerProbe {
  /** The probe's own: one monitor, one pooled. */
  static readonly OWN_SOCKETS = 2;

  private constructor(private readonly client: mongo.MongoClient) {}

  static async open(uri: string): Promise<ServerProbe> {
    const client = new mongo.MongoClient(uri, {
      directConnection: true,
      maxPoolSize: 1,
      serverMonitoringMode: 'poll',
      heartbeatFrequencyMS: 500, // its monitor is back soon after a fault
    });
    await client.connect();
    await client.db('admin').command({ ping: 1 });
    return new ServerProbe(client);
  }

  /** Open connections of everybody else, monitors included. */
  async sockets(): Promise<number> {
    return (await this.connections()).current - ServerProbe.OWN_SOCKETS;
  }

  async connections(): Promise<{ current: number; totalCreated: number }> {
    const { connections } = await this.client.db('admin').command({ serverStatus: 1 });
    return connections as { current: number; totalCreated: number };
  }

  /** Running operations and idle cursors. */
  operations(): Promise<{ ns?: string }[]> {
    return this.client
      .db('admin')
      .aggregate<{ ns?: string }>([{ $currentOp: { idleCursors: true } }])
      .toArray();
  }

  close(): Promise<void> {
    return this.client.close();
  }
}

/** Monitors poll on one socket each, so that sockets can be counted. */
export const ONE_MONITOR = { serverMonitoringMode: 'poll' } as const;

/** Waits until `check` passes, for what only the other side knows; fails with its last error. */
export async function eventually(check: () => unknown, timeoutMS = 5_000): Promise<void> {
  const until = Date.now() + timeoutMS;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
