import { Binary } from 'bson';
import { encodeDoc } from '../../bson/encode.js';
import type { Doc } from '../../bson/value.js';
import { compileFilter } from '../../query/filter.js';
import type { CatalogEntry } from '../../storage/catalog.js';
import { LATEST } from '../../storage/read-view.js';
import { boolArgument, docArgument, integerArgument } from '../arguments.js';
import { isConcerned, privilegesOf } from '../auth/authorization.js';
import type { Command } from '../command.js';
import { queryEnv } from '../crud/query-env.js';
import { openCursor, sourceOf } from '../cursor/open-cursor.js';
import { OPLOG } from '../oplog/oplog.js';
import { fieldsOf, int, long } from '../reply.js';

export const listCollections: Command = {
  name: 'listCollections',
  isInApiV1: true,
  args: {
    listCollections: 'any',
    filter: 'object',
    nameOnly: 'safeBool',
    authorizedCollections: 'safeBool',
    cursor: 'object',
  },
  run(op) {
    const filter = docArgument(op.args, 'filter');
    const matches = filter && compileFilter(filter, queryEnv(op));
    const isNameOnly = boolArgument(op.args, 'nameOnly');
    const entries = op.server.storage.catalog.list(op.db, op.transactionUnit ?? LATEST);
    const privileges = boolArgument(op.args, 'authorizedCollections')
      ? privilegesOf(op.server.credentials, op.client)
      : undefined;
    const found = entries
      .filter(({ ns }) => isConcerned(privileges, ns))
      .map(describe)
      .filter((entry) => !matches || matches(entry));
    const views = { db: op.db, coll: 'system.views' };
    if (
      isConcerned(privileges, views) &&
      entries.some(({ kind }) => kind === 'view') &&
      (!matches || matches(systemViews()))
    ) {
      found.push(systemViews());
    }
    if (op.db === OPLOG.db && (!matches || matches(oplogEntry()))) found.push(oplogEntry());
    const shown = found.map((entry) =>
      encodeDoc(isNameOnly ? fieldsOf({ name: entry.get('name'), type: entry.get('type') }) : entry),
    );
    const cursor = docArgument(op.args, 'cursor');
    return openCursor(op, `${op.db}.$cmd.listCollections`, sourceOf(shown.values()), {
      batchSize: cursor && integerArgument(cursor, 'batchSize'),
    });
  },
};

/** How much the oplog holds at most. */
const OPLOG_BYTES = 64 * 1024 * 1024;

const idIndex = (): Doc => fieldsOf({ v: int(2), key: fieldsOf({ _id: int(1) }), name: '_id_' });

/** A database with views has the collection that MongoDB keeps their definitions in. */
const systemViews = (): Doc =>
  fieldsOf({
    name: 'system.views',
    type: 'collection',
    options: fieldsOf({}),
    info: fieldsOf({ readOnly: false }),
    idIndex: idIndex(),
  });

/** A replica set's oplog. */
const oplogEntry = (): Doc =>
  fieldsOf({
    name: OPLOG.coll,
    type: 'collection',
    options: fieldsOf({ capped: true, size: long(OPLOG_BYTES), autoIndexId: false }),
    info: fieldsOf({ readOnly: false }),
  });

function describe(entry: CatalogEntry): Doc {
  const { coll } = entry.ns;
  if (entry.kind === 'view') {
    return fieldsOf({ name: coll, type: 'view', options: entry.options, info: fieldsOf({ readOnly: true }) });
  }
  const isTimeseries = entry.options.has('timeseries');
  return fieldsOf({
    name: coll,
    type: isTimeseries ? 'timeseries' : 'collection',
    options: entry.options,
    info: fieldsOf({ readOnly: false, uuid: new Binary(Buffer.from(entry.uuid), Binary.SUBTYPE_UUID) }),
    idIndex: isTimeseries || entry.options.has('clusteredIndex') ? undefined : idIndex(),
  });
}
