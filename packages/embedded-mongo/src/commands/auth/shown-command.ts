import { type Doc, isDoc, type Value } from '../../bson/value.js';

/** Arguments that are secrets, by command; shown as "xxx", as MongoDB does. */
const SECRETS: Readonly<Record<string, readonly string[]>> = {
  authenticate: ['key'],
  createUser: ['pwd'],
  hello: ['speculativeAuthenticate'],
  isMaster: ['speculativeAuthenticate'],
  ismaster: ['speculativeAuthenticate'],
  saslContinue: ['payload'],
  saslStart: ['payload'],
  updateUser: ['pwd'],
};

/** A command as errors, profiles and currentOp may show it: without passwords. */
export function shownCommand(args: Doc): Doc {
  const [name] = args.keys();
  const secrets = name !== undefined && Object.hasOwn(SECRETS, name) ? SECRETS[name]! : [];
  const isExplain = name === 'explain';
  if (!isExplain && !secrets.some((field) => args.has(field))) return args;
  return new Map(
    [...args].map(([field, value]): [string, Value] => {
      if (secrets.includes(field)) return [field, 'xxx'];
      return [field, isExplain && field === 'explain' && isDoc(value) ? shownCommand(value) : value];
    }),
  );
}
