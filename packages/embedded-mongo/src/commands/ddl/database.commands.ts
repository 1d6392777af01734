import type { Doc } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { compileFilter } from '../../query/filter.js';
import { LATEST } from '../../storage/read-view.js';
import { boolArgument, docArgument } from '../arguments.js';
import { isConcerned, isGranted, privilegesOf } from '../auth/authorization.js';
import type { Command } from '../command.js';
import { queryEnv } from '../crud/query-env.js';
import { runWrite } from '../crud/write.js';
import type { Operation } from '../operation.js';
import type { MongoServer } from '../server.js';
import { fieldsOf, long, reply } from '../reply.js';
import { databaseSize } from '../diagnostics/sizes.js';

/** What the server itself keeps; a replica set member always has them. */
const SYSTEM_DATABASES = ['admin', 'config', 'local'];
const SYSTEM_DATABASE_BYTES = 40_960;

export const dropDatabase: Command = {
  name: 'dropDatabase',
  isInApiV1: true,
  isWrite: true,
  args: { dropDatabase: 'any' },
  async run(op) {
    checkDroppable(op);
    const { catalog } = op.server.storage;
    const existed = catalog.list(op.db, LATEST).length > 0;
    const pending = runWrite(op, (unit) => catalog.dropDatabase(unit, op.db));
    if (pending instanceof Promise) await pending;
    return reply({ dropped: existed ? op.db : undefined });
  },
};

/** @throws CommandError IllegalOperation (20) for a database a replica set cannot do without */
function checkDroppable({ args, db }: Operation): void {
  if (Number(args.get('dropDatabase')) !== 1) throw new CommandError(5255100, "Have to pass 1 as 'drop' parameter");
  if (db === 'admin') throw new CommandError('IllegalOperation', "Dropping the 'admin' database is prohibited.");
  if (db === 'local') {
    throw new CommandError('IllegalOperation', "Cannot drop 'local' database while replication is active");
  }
}

export const listDatabases: Command = {
  name: 'listDatabases',
  isAdminOnly: true,
  isInApiV1: true,
  args: { listDatabases: 'any', filter: 'object', nameOnly: 'safeBool', authorizedDatabases: 'safeBool' },
  run(op) {
    const filter = docArgument(op.args, 'filter');
    const matches = filter && compileFilter(filter, queryEnv(op));
    const privileges = privilegesOf(op.server.credentials, op.client);
    const seesAll = isGranted(privileges, { action: 'listDatabases', on: 'cluster' });
    const all = describeDatabases(op.server).filter(
      (database) => seesAll || isConcerned(privileges, { db: database.get('name') as string }),
    );
    const databases = matches ? all.filter((database) => matches(database)) : all;
    if (boolArgument(op.args, 'nameOnly')) {
      return reply({ databases: databases.map((database) => fieldsOf({ name: database.get('name') })) });
    }
    const totalSize = databases.reduce((sum, database) => sum + Number(database.get('sizeOnDisk')), 0);
    return reply({
      databases,
      totalSize: long(totalSize),
      totalSizeMb: long(Math.floor(totalSize / 2 ** 20)),
    });
  },
};

function describeDatabases({ storage }: MongoServer): Doc[] {
  const names = new Set([...SYSTEM_DATABASES, ...storage.catalog.dbNames]);
  return [...names]
    .sort()
    .filter((name) => SYSTEM_DATABASES.includes(name) || storage.catalog.list(name, LATEST).length > 0)
    .map((name) => {
      const size = databaseSize(storage.catalog.list(name, LATEST));
      const sizeOnDisk = Math.max(
        size.storageSize + size.indexSize,
        SYSTEM_DATABASES.includes(name) ? SYSTEM_DATABASE_BYTES : 0,
      );
      return fieldsOf({ name, sizeOnDisk: long(sizeOnDisk), empty: sizeOnDisk === 0 });
    });
}
