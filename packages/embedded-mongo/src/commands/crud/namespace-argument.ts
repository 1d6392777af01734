import { CommandError } from '../../errors.js';
import { typeName } from '../../bson/value.js';
import type { Namespace } from '../../storage/namespace.js';
import { checkNamespace } from '../../storage/namespace.js';
import type { Operation } from '../operation.js';

/** The collection a command names as its first argument. @throws CommandError BadValue, InvalidNamespace (73) */
export function namespaceOf({ args, commandName, db, command }: Operation): Namespace {
  const coll = args.get(commandName);
  if (typeof coll !== 'string') {
    throw new CommandError(
      command.name === 'distinct' ? 'InvalidNamespace' : 'BadValue',
      `collection name has invalid type ${typeName(coll)}`,
    );
  }
  const ns = { db, coll };
  checkNamespace(ns);
  return ns;
}
