import { CommandError } from '../../errors.js';
import type { Doc } from '../../bson/value.js';
import { isDoc } from '../../bson/value.js';
import type { Collection } from '../../storage/collection.js';
import { nsString } from '../../storage/namespace.js';
import type { WriteUnit } from '../../storage/write-unit.js';
import { ArgumentParser, docArgument, stringArgument } from '../arguments.js';
import type { Command } from '../command.js';
import { namespaceOf } from '../crud/namespace-argument.js';
import { runWrite } from '../crud/write.js';
import { fieldsOf, reply } from '../reply.js';
import type { ReplyDoc } from '../reply.js';
import { checkOptions } from './create.command.js';
import { checkViewPipeline } from './view-pipeline.js';

const INDEX = new ArgumentParser('collMod.index', {
  name: 'string',
  keyPattern: 'object',
  expireAfterSeconds: 'number',
  hidden: 'safeBool',
  unique: 'safeBool',
  prepareUnique: 'safeBool',
});

const COLLECTION_FIELDS = [
  'validator',
  'validationLevel',
  'validationAction',
  'changeStreamPreAndPostImages',
  'expireAfterSeconds',
];
const VIEW_FIELDS = ['viewOn', 'pipeline'];

export const collMod: Command = {
  name: 'collMod',
  isInApiV1: true,
  isWrite: true,
  args: {
    collMod: 'any',
    index: 'object',
    validator: 'object',
    validationLevel: 'string',
    validationAction: 'string',
    viewOn: 'string',
    pipeline: 'array',
    recordPreImages: 'bool',
    changeStreamPreAndPostImages: 'object',
    expireAfterSeconds: 'any',
    timeseries: 'object',
    cappedSize: 'number',
    cappedMax: 'number',
    dryRun: 'safeBool',
  },
  async run(op) {
    const ns = namespaceOf(op);
    checkOptions(op);
    const { catalog } = op.server.storage;
    const pending = runWrite(op, (unit) => {
      const entry = catalog.find(ns, unit);
      if (!entry) throw new CommandError('NamespaceNotFound', 'ns does not exist');
      catalog.checkUnused(unit, entry);
      const fields = entry.kind === 'view' ? VIEW_FIELDS : COLLECTION_FIELDS;
      const changes: Doc = new Map([...op.args].filter(([name]) => fields.includes(name)));
      const before = entry.options;
      if (changes.size > 0) {
        const options = merged(before, changes);
        checkViewPipeline(op, options);
        entry.options = options;
        unit.onAbort(() => (entry.options = before));
        if (entry.kind === 'collection' && changes.has('expireAfterSeconds')) unit.noteIndexes(entry);
      }
      const index = docArgument(op.args, 'index');
      const answer = index && entry.kind === 'collection' ? modifyIndex(unit, entry, index) : reply({});
      if (index) changes.set('index', index);
      if (entry.kind === 'collection') {
        unit.log({ op: 'modify', ns, uuid: entry.uuid, changes, before: fieldsOf({ collectionOptions: before }) });
      }
      return answer;
    });
    return pending instanceof Promise ? await pending : pending;
  },
};

/** An empty validator takes the validator away, and `off` the expiry. */
function merged(before: Doc, changes: Doc): Doc {
  const after: Doc = new Map([...before, ...changes]);
  if (after.get('expireAfterSeconds') === 'off') after.delete('expireAfterSeconds');
  const validator = after.get('validator');
  if (isDoc(validator)) {
    if (validator.size === 0)
      for (const name of ['validator', 'validationLevel', 'validationAction']) after.delete(name);
    else {
      if (!after.has('validationLevel')) after.set('validationLevel', 'strict');
      if (!after.has('validationAction')) after.set('validationAction', 'error');
    }
  }
  return after;
}

function modifyIndex(unit: WriteUnit, collection: Collection, options: Doc): ReplyDoc {
  INDEX.check(options);
  const name = stringArgument(options, 'name');
  const key = docArgument(options, 'keyPattern');
  if ((name === undefined) === (key === undefined)) {
    throw new CommandError('InvalidOptions', 'Must specify either index name or key pattern.');
  }
  const index = name !== undefined ? collection.indexes.get(name) : collection.indexes.byKey(key!)[0];
  if (!index) {
    throw new CommandError('IndexNotFound', `cannot find index ${name ?? ''} for ns ${nsString(collection.ns)}`);
  }
  const changes: Doc = new Map([...options].filter(([field]) => field === 'hidden' || field === 'expireAfterSeconds'));
  const before = index.spec.doc;
  collection.indexes.modify(unit, index, changes);
  const answer: ReplyDoc = new Map();
  for (const [field, value] of changes) {
    const old = before.get(field);
    if (old !== undefined) answer.set(`${field}_old`, old);
    else if (field === 'hidden') answer.set('hidden_old', false);
    answer.set(`${field}_new`, value);
  }
  return answer;
}
