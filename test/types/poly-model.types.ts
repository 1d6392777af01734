// Compiled by `npm run typecheck`, never run: a line that stops compiling, or an @ts-expect-error that is not needed,
// is a failing test.
import { Schema, model, type HydratedDocument, type Model, type mongo } from 'mongoose';
import type { PolyModel, PolyMongoWrapper, TenantModel, WrappedModel } from 'nestjs-polymongo';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const assert = <_T extends true>(): void => {};

interface User {
  name: string;
  age?: number;
}
interface UserMethods {
  greet(): string;
}
interface UserQueryHelpers {
  named(name: string): ReturnType<Model<User>['find']>;
}
interface UserModel extends Model<User, UserQueryHelpers, UserMethods, { initials: string }> {
  oldest(): Promise<number>;
}

declare const polymongo: PolyMongoWrapper;

// A plain document type.
declare const users: PolyModel<User>;
assert<Equal<PolyModel<User>, WrappedModel<User>>>();
export const names: Promise<string[]> = users
  .db('acme')
  .find()
  .then((found) => found.map(({ name }) => name));
export const made: HydratedDocument<User> = new users({ name: 'Ada' });
export const madeElsewhere: HydratedDocument<User> = new (users.db('acme'))({ name: 'Ada' });
export const connectionName: string = users.db.name;
export const connectionState: number = users.tenant().db.readyState;
// @ts-expect-error a database is named by a string
users.db(5);
// @ts-expect-error a model of one database leads to no other
users.db('acme').tenant();
declare const user: NonNullable<Awaited<ReturnType<ReturnType<typeof users.db>['findOne']>>>;
// @ts-expect-error no such field
void user.surname;

// A model type with methods, statics, virtuals and query helpers keeps them on every database.
declare const rich: PolyModel<UserModel>;
for (const each of [rich, rich.db('acme'), rich.tenant()] as UserModel[]) {
  void each.oldest().then((age: number) => age);
  void each.findOne().then((user) => user!.greet().concat(user!.initials));
  void each.find().named('Ada');
}
export const oldestOfAcme: Promise<number> = rich.db('acme').oldest();
export const greeting: Promise<string> = rich
  .tenant()
  .findOne()
  .orFail()
  .then((user) => user.greet() + user.initials);
void rich.db('acme').find().named('Ada');
// @ts-expect-error no such static
void rich.db('acme').youngest();

// A tenant model is a model, and leads nowhere else.
declare const mine: TenantModel<UserModel>;
export const mineOldest: Promise<number> = mine.oldest();
// @ts-expect-error `db` of a tenant model is its connection only
mine.db('acme');

// wrapModel keeps what mongoose inferred from the schema.
const Inferred = model(
  'Inferred',
  new Schema(
    { title: { type: String, required: true } },
    { methods: { loud: () => 'TITLE' }, statics: { total: () => 7 } },
  ),
);
const wrapped = polymongo.wrapModel(Inferred);
export const total: number = wrapped.db('acme').total();
export const loud: Promise<string> = wrapped
  .tenant()
  .findOne()
  .orFail()
  .then((document) => document.loud() + document.title);

// A transaction has a session; with `never` there is none.
export const withSession: Promise<string> = polymongo.transaction((session) => String(session.id));
export const withNever: Promise<boolean> = polymongo.transaction((session) => session === undefined, {
  propagation: 'never',
});
// @ts-expect-error there is no session
void polymongo.transaction((session: mongo.ClientSession) => session.id, { propagation: 'never' });
// @ts-expect-error no such operation
polymongo.watch$({ operationTypes: ['inserted'] });
// @ts-expect-error not one of mongoose's words
void (polymongo.getConnectionState() === 'open');
