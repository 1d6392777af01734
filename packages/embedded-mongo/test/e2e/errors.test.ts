import { describe, expect, it } from '@jest/globals';
import type { mongo } from 'mongoose';
import { useOwnServer } from '../support/connected.js';

type Run = (db: mongo.Db, users: mongo.Collection<{ _id: number }>) => Promise<unknown>;
const on =
  (command: object): Run =>
  (db) =>
    db.command(command);

describe('errors that users meet', () => {
  let client: mongo.MongoClient;

  useOwnServer(async (connected) => {
    client = connected;
    const users = client.db('app').collection<{ _id: number }>('users');
    await users.insertMany([{ _id: 1, mail: 'a', tags: [1] } as { _id: number }, { _id: 2, mail: 'b' } as { _id: number }]); // prettier-ignore
    await users.createIndex({ mail: 1 }, { unique: true });
  });

  const DUPLICATE = 'E11000 duplicate key error collection: app.users index: mail_1 dup key: { mail: "b" }';

  it.each<[string, number, string, Run]>([
    ['a duplicate key', 11000, DUPLICATE, (_, users) => users.updateOne({ _id: 1 }, { $set: { mail: 'b' } })],
    [
      'a duplicate key in findAndModify',
      11000,
      `Plan executor error during findAndModify :: caused by :: ${DUPLICATE}`,
      (_, users) => users.findOneAndUpdate({ _id: 1 }, { $set: { mail: 'b' } }),
    ],
    [
      'two changes of one path',
      40,
      "Updating the path 'a.b' would create a conflict at 'a'",
      (_, users) => users.updateOne({}, { $set: { a: 1 }, $unset: { 'a.b': 1 } }),
    ],
    [
      'another _id',
      66,
      "Performing an update on the path '_id' would modify the immutable field '_id'",
      (_, users) => users.updateOne({ _id: 1 }, { $set: { _id: 9 } }),
    ],
    [
      'an unknown update operator',
      9,
      'Unknown modifier: $push2. Expected a valid update modifier or pipeline-style update specified as an array',
      (_, users) => users.updateOne({}, { $push2: { a: 1 } } as object),
    ],
    [
      '$inc of a string',
      14,
      "Cannot apply $inc to a value of non-numeric type. {_id: 1} has the field 'mail' of non-numeric type string",
      (_, users) => users.updateOne({ _id: 1 }, { $inc: { mail: 1 } }),
    ],
    [
      'a path through a scalar',
      28,
      'Cannot create field \'x\' in element {mail: "a"}',
      (_, users) => users.updateOne({ _id: 1 }, { $set: { 'mail.x': 1 } }),
    ],
    [
      'an array filter that is not there',
      2,
      "No array filter found for identifier 'e' in path 'tags.$[e]'",
      (_, users) => users.updateOne({ _id: 1 }, { $set: { 'tags.$[e]': 1 } }),
    ],
    ['an unknown operator', 2, 'unknown operator: $foo', (_, users) => users.findOne({ a: { $foo: 1 } } as object)],
    ['a malformed $elemMatch', 2, '$elemMatch needs an Object', (_, users) => users.findOne({ a: { $elemMatch: 1 } } as object)], // prettier-ignore
    [
      'a projection of both kinds',
      31254,
      'Cannot do exclusion on field b in inclusion projection',
      (_, users) => users.findOne({}, { projection: { a: 1, b: 0 } }),
    ],
    [
      'a projection of a path and what is below it',
      31249,
      'Path collision at a.b remaining portion b',
      (_, users) => users.findOne({}, { projection: { a: 1, 'a.b': 1 } }),
    ],
    [
      'an error while a find runs',
      16608,
      "Executor error during find command: app.users :: caused by :: can't $divide by zero",
      (_, users) => users.find({ $expr: { $divide: ['$_id', 0] } }).toArray(),
    ],
    ['an unknown stage', 40324, "Unrecognized pipeline stage name: '$foo'", (_, users) => users.aggregate([{ $foo: 1 }]).toArray()], // prettier-ignore
    [
      'an unknown expression',
      168,
      "Invalid $addFields :: caused by :: Unrecognized expression '$foo'",
      (_, users) => users.aggregate([{ $addFields: { a: { $foo: 1 } } }]).toArray(),
    ],
    [
      'an unknown field of a command',
      40415,
      "BSON field 'FindCommandRequest.foo' is an unknown field.",
      on({ find: 'users', foo: 1 }),
    ],
    ['a missing field of a command', 40414, "BSON field 'update.updates' is missing but a required field", on({ update: 'users' })], // prettier-ignore
    ['a wrong type in a command', 14, 'Expected field filterto be of type object', on({ find: 'users', filter: 1 })],
    ['a collection that is there', 48, 'Collection app.users already exists.', on({ create: 'users', capped: true, size: 9 })], // prettier-ignore
    ['a $ in a name', 73, "Invalid namespace specified 'app.a$b'", on({ create: 'a$b' })],
  ])('%s is %i', async (_title, code, message, run) => {
    const db = client.db('app');
    await expect(run(db, db.collection('users'))).rejects.toMatchObject({ code, message });
  });

  it('a unique index over duplicates names the build and the key', async () => {
    const entries = client.db('app').collection('entries');
    await entries.insertMany([{ n: 1 }, { n: 1 }]);
    await expect(entries.createIndex({ n: 1 }, { unique: true })).rejects.toMatchObject({
      code: 11000,
      codeName: 'DuplicateKey',
      keyPattern: { n: 1 },
      keyValue: { n: 1 },
      message: expect.stringMatching(
        /^Index build failed: [-\da-f]{36}: Collection app\.entries \( [-\da-f]{36} \) :: caused by :: E11000 .* dup key: \{ n: 1 \}$/,
      ),
    });
  });
});
