import { afterEach, describe, expect, it } from '@jest/globals';
import mongoose, { type mongo } from 'mongoose';
import { useOwnServer } from '../support/connected.js';

const { ObjectId, Binary, Timestamp, MinKey, MaxKey } = mongoose.mongo;

describe('scripts of commands', () => {
  let client: mongo.MongoClient;
  let db: mongo.Db;
  const document = {
    _id: new ObjectId('65a1b2c3d4e5f60718293a4b'),
    bin: new Binary(Buffer.from('héé'), 0),
    ts: new Timestamp({ t: 5, i: 7 }),
    min: new MinKey(),
    max: new MaxKey(),
    at: new Date(1234),
    re: /a+/i,
    list: [1, [NaN, -0, Infinity], { $t: ['oid'], x: 'y' }],
    text: 'é"\u2028\ud800',
  };

  useOwnServer(async (connected) => {
    client = connected;
    db = client.db('sandbox');
    await db.collection<object>('c').insertOne(document);
  });

  afterEach(() => {
    delete process.env['CANARY'];
  });

  const outcome = (work: Promise<unknown>): Promise<unknown> => work.catch(({ code }: { code: unknown }) => ({ code }));
  const where = (code: string, maxTimeMS = 10_000) =>
    outcome(db.collection('c').find({ $where: code }, { maxTimeMS }).toArray().then((found) => found.length)); // prettier-ignore
  const call = (body: string, args: unknown = ['$$ROOT'], maxTimeMS = 10_000) =>
    outcome(db.collection('c').aggregate([{ $project: { _id: 0, v: { $function: { body, args, lang: 'js' } } } }], { maxTimeMS }).next().then((found) => found?.['v'])); // prettier-ignore

  // Each gives a function constructor that might be the host's; what it makes must not reach the process.
  const reaching = [
    'this.constructor.constructor',
    'this._id.constructor.constructor',
    'this.bin.constructor.constructor',
    'this.at.constructor.constructor',
    'this.list.constructor.constructor',
    'this.list.map(() => 1).constructor.constructor',
    'globalThis.constructor.constructor',
    'Object.getPrototypeOf(globalThis).constructor.constructor',
    'ISODate.constructor',
    'ObjectId.constructor',
    '(() => { try { null.x } catch (e) { return e.constructor.constructor } })()',
    '(() => { try { (function f() { f() })() } catch (e) { return e.constructor.constructor } })()',
    '(() => { const e = new Error(); e.name = Symbol(); try { return e.stack.constructor.constructor } catch (x) { return x.constructor.constructor } })()',
    '(() => { let got; Error.prepareStackTrace = (e, frames) => { got = frames.constructor.constructor }; new Error().stack; return got ?? Function })()',
    '(() => { let got; const e = new Error(); e.name = { toString: new Proxy(() => "", { apply: (t, s, args) => { got = args.constructor.constructor; return "" } }) }; e.stack; return got ?? Function })()',
    '(() => { let got; globalThis.Error = class { static prepareStackTrace(e, frames) { got = frames.constructor.constructor } }; try { null.x } catch (e) { e.stack } return got ?? Function })()',
    '(function f() { return (f.caller ?? f).constructor })()',
    '(function f() { return (arguments.callee.caller.caller ?? f).constructor })()',
    'sleep.call.constructor',
    '(async () => {})().constructor.constructor',
    '(class extends Array { static get [Symbol.species]() { return Object } }).constructor',
  ];

  it.each(reaching)('reach nothing of the process: %s', async (fn) => {
    const payload = '"process.env.CANARY=1; return String(process.pid)"';
    await where(`(${fn})(${payload})()`);
    expect(
      await call(`function() { return (function() { return (${fn})(${payload})() }).call(arguments[0]) }`),
    ).toEqual({
      code: 139,
    });
    expect(process.env['CANARY']).toBeUndefined();
  });

  it.each([
    'import("fs")',
    'import/**/("fs")',
    'import\n("fs")',
    'import<!-- x\n("fs")',
    '[...import("fs")]',
    'im\\u0070ort("fs")',
    'eval("import(\\"fs\\")")',
    'Function("return import(\\"fs\\")")()',
    '(function*(){}).constructor("yield import(\\"fs\\")")().next()',
    'setTimeout.constructor',
    '({}).constructor.constructor("return 1")()',
  ])('make and import no code: %s', async (code) => {
    expect(await where(`${code}, true`)).toEqual({ code: 139 });
  });

  it('may have properties and strings called import', async () => {
    expect(
      await where('this.import === undefined && "import" !== "an import of (x)" && this["import"] === void 0'),
    ).toBe(1);
  });

  it.each([
    'Promise.reject(new Error("x"))',
    '(async () => { throw 1 })()',
    'Promise.resolve().then(() => { while (1); })',
    'Promise.resolve().then(function f() { return Promise.resolve().then(f) })',
    '(async () => { for (;;) await 1 })()',
  ])('have promises that nothing comes of: %s', async (code) => {
    expect(await where(`function() { ${code}; return true }`)).toBe(1);
    expect(await call(`function() { ${code}; return true }`)).toBe(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await where('true')).toBe(1);
  });

  it.each([
    'function() { return { get x() { while (1); } } }',
    'function() { return new Proxy({}, { get() { while (1); }, ownKeys() { while (1); } }) }',
    'function() { return new Proxy([], { get(t, name) { return name === "length" ? 1e15 : 1 } }) }',
    'function() { throw { get message() { while (1); }, toString() { while (1); } } }',
    'function() { throw new Proxy({}, { get() { while (1); } }) }',
    'function() { throw { name: { toString() { while (1); } } } }',
    'function() { return { toJSON() { while (1); }, x: (Array.prototype.toJSON = () => { while (1); }) && 1 } }',
    'function() { sleep(9000); return 1 }',
    'function() {})), (() => { for (;;); })(), (() => (1',
  ])('end by maxTimeMS while they give or throw: %s', async (body) => {
    const began = performance.now();
    expect(await call(body, [], 100)).toEqual({ code: 50 });
    expect(performance.now() - began).toBeLessThan(3000);
  });

  it.each([
    ['fill the memory', 'function() { const a = []; for (;;) a.push({ a: [1, 2, 3] }) }', [50, 139]],
    ['give a cycle', 'function() { const a = {}; a.a = a; return a }', [17279]],
    ['forge what they give', 'function() { Array.prototype.toJSON = () => [0, { $t: ["nothing"] }]; return 1 }', [139]],
    ['forge an ObjectId', 'function() { const id = ObjectId(); id.str = "no"; return id }', [139]],
    [
      'throw a revoked proxy',
      'function() { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy }',
      [139],
    ],
  ])('that %s end with an error', async (_title, body, codes) => {
    const { code } = (await call(body, [])) as { code: number };
    expect(codes).toContain(code);
    expect(await where('true')).toBe(1);
  });

  it('give back the values they were given', async () => {
    expect(await call('function(doc) { return doc }')).toEqual({ ...document, text: expect.any(String) });
    const shown =
      'function(d) { return [String(d._id), d._id.str, d.bin.hex(), d.ts.t, d.at.getTime(), d.re.source, Object.is(d.list[1][1], -0)] }';
    expect(await call(shown)).toEqual(['ObjectId("65a1b2c3d4e5f60718293a4b")', document._id.toHexString(), '68c3a9c3a9', 5, 1234, 'a+', true]); // prettier-ignore
    expect(await call('function() { return { id: ObjectId("65a1b2c3d4e5f60718293a4b"), __proto__: null, n: 10n } }')).toEqual({ id: document._id, n: 10 }); // prettier-ignore
  });

  it('of a cursor go on after another has ended their thread', async () => {
    const many = db.collection<{ _id: number }>('many');
    await many.insertMany(Array.from({ length: 10 }, (_, _id) => ({ _id })));
    const cursor = many.find({ $where: 'this._id > 2' }, { batchSize: 2 });
    expect(await cursor.next()).toEqual({ _id: 3 });
    expect(await where('while (true);return 1', 50)).toEqual({ code: 50 });
    expect(await cursor.toArray()).toHaveLength(6);
  });
});
