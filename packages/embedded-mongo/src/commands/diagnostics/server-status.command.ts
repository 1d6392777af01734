import type { Doc } from '../../bson/value.js';
import type { Catalog, CatalogEntry } from '../../storage/catalog.js';
import { LATEST } from '../../storage/read-view.js';
import type { Command } from '../command.js';
import { fieldsOf, int, long, reply } from '../reply.js';
import { VERSION } from './build-info.command.js';

/** How many collections of which kind there are, in all databases. */
function catalogStats(catalog: Catalog): Doc {
  const entries = catalog.dbNames.flatMap((db) => catalog.list(db, LATEST));
  const isInternal = ({ ns }: CatalogEntry): boolean => ['admin', 'config', 'local'].includes(ns.db);
  const own = entries.filter((entry) => !isInternal(entry));
  const collections = own.filter(({ kind }) => kind === 'collection');
  const having = (option: string): number => collections.filter(({ options }) => options.has(option)).length;
  return fieldsOf({
    collections: int(collections.length - having('timeseries')),
    capped: int(having('capped')),
    clustered: int(having('clusteredIndex')),
    timeseries: int(having('timeseries')),
    views: int(own.filter(({ kind }) => kind === 'view').length),
    internalCollections: int(entries.filter((entry) => isInternal(entry) && entry.kind === 'collection').length),
    internalViews: int(entries.filter((entry) => isInternal(entry) && entry.kind === 'view').length),
  });
}

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
      catalogStats: catalogStats(server.storage.catalog),
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
