import type { Command } from '../command.js';
import { fieldsOf, int, long, reply } from '../reply.js';
import { VERSION } from './build-info.command.js';

export const serverStatus: Command = {
  name: 'serverStatus',
  isLenient: true,
  args: {},
  run({ server, args }) {
    const { counters, topology, cursors } = server;
    const { rss, heapTotal } = process.memoryUsage();
    const uptimeMS = Date.now() - server.startedAt.getTime();
    const connections = [...server.clients.keys()];
    return reply({
      host: topology.host,
      version: VERSION,
      process: 'mongod',
      pid: long(process.pid),
      uptime: uptimeMS / 1000,
      uptimeMillis: long(uptimeMS),
      uptimeEstimate: long(Math.floor(uptimeMS / 1000)),
      localTime: new Date(),
      asserts: fieldsOf({ regular: int(0), warning: int(0), msg: int(0), user: int(0), rollovers: int(0) }),
      connections: fieldsOf({
        current: int(connections.length),
        available: int(65_536 - connections.length),
        totalCreated: int(Math.max(0, ...connections.map(({ id }) => id))),
        active: int(server.operations.size),
      }),
      logicalSessionRecordCache: fieldsOf({ activeSessionsCount: int(server.sessions.size) }),
      mem: fieldsOf({
        bits: int(64),
        resident: int(Math.round(rss / 2 ** 20)),
        virtual: int(Math.round(heapTotal / 2 ** 20)),
        supported: true,
      }),
      metrics: fieldsOf({
        cursor: fieldsOf({
          timedOut: long(cursors.timedOut),
          open: fieldsOf({ total: long(cursors.size), noTimeout: long(0), pinned: long(0) }),
        }),
      }),
      opcounters: fieldsOf({
        insert: int(counters.insert),
        query: int(counters.query),
        update: int(counters.update),
        delete: int(counters.delete),
        getmore: int(counters.getmore),
        command: int(counters.command),
      }),
      repl:
        args.get('repl') === int(0)
          ? undefined
          : fieldsOf({
              topologyVersion: topology.version,
              hosts: [topology.host],
              setName: topology.setName,
              setVersion: int(1),
              isWritablePrimary: true,
              secondary: false,
              primary: topology.host,
              me: topology.host,
              electionId: topology.electionId,
            }),
      storageEngine: fieldsOf({ name: 'ephemeralForTest', supportsCommittedReads: true, persistent: false }),
    });
  },
};
