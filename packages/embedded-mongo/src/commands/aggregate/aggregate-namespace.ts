import { CommandError } from '../../errors.js';
import type { PipelineNamespace } from '../../query/env.js';
import { checkDbName, checkNamespace, nsString } from '../../storage/namespace.js';
import type { Operation } from '../operation.js';

/** `aggregate: "coll"`, or `aggregate: 1` for a pipeline on the database. */
export function aggregateNamespace({ args, db }: Operation): PipelineNamespace {
  const target = args.get('aggregate');
  if (typeof target === 'string') {
    checkNamespace({ db, coll: target });
    return { db, coll: target };
  }
  checkDbName(db);
  if (Number(target) !== 1) {
    throw new CommandError(
      'FailedToParse',
      "Invalid command format: the 'aggregate' field must specify a collection name or 1",
    );
  }
  return { db };
}

/** What the cursor of a pipeline is on. */
export const cursorNamespace = ({ db, coll }: PipelineNamespace): string =>
  coll === undefined ? `${db}.$cmd.aggregate` : nsString({ db, coll });
