import { unpaused } from '../../bson/pause.js';
import { ObjectId } from 'bson';
import { isDoc, typeName, type Doc } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { assertKnownFields } from '../../bson/known-fields.js';
import { checkTarget, targetOf } from '../pipeline/writes.js';
import type { StageDefinition } from './stage.js';

/** A document with an `_id`, a new one at its front when it has none. */
export const withId = (doc: Doc): Doc => (doc.has('_id') ? doc : new Map([['_id', new ObjectId()], ...doc]));

export const outStage: StageDefinition = {
  position: 'last',
  forbiddenIn: ['$facet', '$lookup', '$unionWith', 'view', 'transaction'],
  compile(spec, context) {
    if (typeof spec !== 'string' && !isDoc(spec)) {
      throw new CommandError(16990, `$out only supports a string or object argument, but found ${typeName(spec)}`);
    }
    if (isDoc(spec)) {
      assertKnownFields(spec, '$out', ['db', 'coll', 'timeseries']);
      if (spec.has('timeseries')) {
        throw new CommandError(
          'CommandNotSupported',
          '$out into a time-series collection is not supported by this server',
        );
      }
      for (const field of ['db', 'coll']) {
        if (!spec.has(field))
          throw new CommandError(40414, `BSON field '$out.${field}' is missing but a required field`);
      }
    }
    const target = targetOf(spec, context.namespace.db);
    if (target === undefined || target.coll === '') {
      throw new CommandError('InvalidNamespace', 'Invalid $out target namespace');
    }
    checkTarget(target, "Can't $out", [17385, 31321]);
    return function* (docs) {
      context.host.replaceCollection(target, identified(unpaused(docs)));
      yield* [];
    };
  },
};

function* identified(docs: Iterable<Doc>): Iterable<Doc> {
  for (const doc of docs) yield withId(doc);
}
