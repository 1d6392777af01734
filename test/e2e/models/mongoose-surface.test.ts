import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { PolyMongoError, PolyMongoWrapper } from 'nestjs-polymongo';
import { uniqueName } from '../../support/database-names.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

type Decision = 'inherited' | 'overridden' | 'refused';
type Part = 'Model' | 'Document' | 'Query' | 'Aggregate' | 'Connection';

/** What each public member of mongoose is on our side; `notEverywhere`: what some supported version does not have. */
const decisions = JSON.parse(readFileSync('test/conformance/mongoose-surface.json', 'utf8')) as Record<
  Part,
  Record<Decision | 'notEverywhere', string[]>
>;

/** What a member is called with that looks at its argument first. */
const ARGUMENTS: Record<string, unknown[]> = { useConnection: [mongoose.connection] };

const chain = (of: object | null): object[] => (of ? [of, ...chain(Object.getPrototypeOf(of) as object | null)] : []);
const namesIn = (of: object): string[] => chain(of).flatMap((at) => Object.getOwnPropertyNames(at));

/** What every function, or every object, has. */
const COMMON = new Set(namesIn(function () {}));

const surface = (of: object): string[] =>
  [...new Set(namesIn(of))].filter((name) => !/^\$?_/.test(name) && !COMMON.has(name)).sort();

/** The member itself, whoever has it: a method, or a getter. */
function member(of: object, name: string): unknown {
  const owner = chain(of).find((at) => Object.hasOwn(at, name));
  const found = owner && Object.getOwnPropertyDescriptor(owner, name);
  return found?.get ?? (found?.value as unknown);
}

describe.each(['Model', 'Document', 'Query', 'Aggregate', 'Connection'] as const)(
  'the public surface of %s',
  (part) => {
    const decided = decisions[part];
    let server: TestServer;
    let polymongo: PolyMongoWrapper;
    let ours: object;
    let theirs: object;
    let names: string[];
    let target: object;

    beforeAll(async () => {
      server = await startTestServer();
      polymongo = new PolyMongoWrapper({ mongoURI: server.uri });
      const users = polymongo.wrapModel(mongoose.model(uniqueName('User'), new mongoose.Schema({ name: String })));
      const model = users.db(uniqueName('surface'));
      const blueprint = polymongo.models.blueprint(users.modelName);
      const connection = polymongo.pools.connectionOf(uniqueName('surface'));
      const prototype = (of: object) => Object.getPrototypeOf(of) as object;
      const sides: Record<Part, { ours: object; theirs: object; all: object }> = {
        Model: { ours: model, theirs: blueprint, all: mongoose.Model },
        Document: {
          ours: model.prototype as object,
          theirs: blueprint.prototype as object,
          all: mongoose.Model.prototype as object,
        },
        Query: {
          ours: prototype(model.find()),
          theirs: mongoose.Query.prototype as object,
          all: mongoose.Query.prototype as object,
        },
        Aggregate: { ours: model.aggregate(), theirs: mongoose.Aggregate.prototype, all: mongoose.Aggregate.prototype },
        Connection: {
          ours: prototype(connection),
          theirs: prototype(mongoose.connection),
          all: prototype(mongoose.connection),
        },
      };
      ({ ours, theirs } = sides[part]);
      names = surface(sides[part].all);
      target = { Connection: connection as object, Model: model as object }[part as string] ?? ours;
    });
    afterAll(async () => {
      await polymongo.actions.closeAll();
      await server.stop();
    });

    it('has no member that nobody has decided about', () => {
      const known = new Set([...decided.inherited, ...decided.overridden, ...decided.refused]);
      expect(names.filter((name) => !known.has(name))).toEqual([]);
    });

    it('has every member that we decided about, unless a supported version lacks it', () => {
      const known = [...decided.inherited, ...decided.overridden, ...decided.refused];
      expect(known.filter((name) => !names.includes(name) && !decided.notEverywhere.includes(name))).toEqual([]);
    });

    it('is our own where we say so, and mongoose’s everywhere else', () => {
      const isOwn = (name: string) => member(ours, name) !== member(theirs, name);
      const own = [...decided.overridden, ...decided.refused].filter((name) => names.includes(name));
      expect(names.filter(isOwn)).toEqual(own.sort());
    });

    it('refuses with a typed error what it refuses', async () => {
      for (const name of decided.refused) {
        const call = async () =>
          (target as Record<string, (...args: unknown[]) => unknown>)[name]!(
            ...(ARGUMENTS[name] ?? ['x', new mongoose.Schema({})]),
          );
        expect({ name, refused: await call().catch((error: unknown) => error) }).toEqual({
          name,
          refused: expect.any(PolyMongoError),
        });
      }
    });
  },
);
