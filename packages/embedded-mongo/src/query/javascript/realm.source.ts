/**
 * What is evaluated within each context before any script: it makes BSON's values of text, calls functions, and makes
 * text of what they give. All of it belongs to the context, nothing but strings passes its border. Gives
 * `handle(request, thunk)`: a request is `[0, scope, emits]`, `[1]` (keeps the function that `thunk` gives) or
 * `[2, function, self, args, name of self]`; an answer is `[0, value, emitted]`, `[1, message]`, or `[2]` of no function.
 */
export const REALM_SOURCE = String.raw`(() => {
  'use strict';
  const global = globalThis, { parse, stringify } = JSON, { apply, ownKeys } = Reflect;
  const { defineProperty, keys, create, hasOwn } = Object, { isArray } = Array;
  const uncurry = (method) => (self, ...args) => apply(method, self, args);
  const includes = uncurry(String.prototype.includes), slice = uncurry(String.prototype.slice);
  const indexOf = uncurry(String.prototype.indexOf), charCodeAt = uncurry(String.prototype.charCodeAt);
  const getTime = uncurry(Date.prototype.getTime), has = uncurry(Map.prototype.has);
  const { Date: DateOf, RegExp: RegExpOf, String: StringOf, Error: ErrorOf, isFinite } = global, { is } = Object;

  // Nothing that runs later or elsewhere, takes memory that is not counted, or has Node format a stack.
  const views = ['Uint8Array', 'Int8Array', 'Uint8ClampedArray', 'Uint16Array', 'Int16Array', 'Uint32Array', 'Int32Array',
    'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array', 'Float16Array'];
  const wait = Atomics.wait, cell = new Int32Array(new SharedArrayBuffer(4)), { min } = Math;
  for (const name of [...views, 'ArrayBuffer', 'SharedArrayBuffer', 'DataView', 'Atomics', 'WebAssembly',
    'FinalizationRegistry', 'WeakRef']) delete global[name];
  delete ErrorOf.captureStackTrace;
  for (const name of ['stackTraceLimit', 'prepareStackTrace']) defineProperty(ErrorOf, name, { value: undefined });
  defineProperty(global, 'Error', { value: ErrorOf, writable: false, configurable: false });

  const define = (values) => {
    for (const name of ownKeys(values)) defineProperty(global, name, { value: values[name], writable: true, configurable: true });
  };
  const hex = (text) => {
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', nibbles = '0123456789abcdef';
    let bits = 0, count = 0, result = '';
    for (let i = 0; i < text.length && text[i] !== '='; i++) {
      bits = ((bits << 6) | indexOf(digits, text[i])) & 0xffff;
      count += 6;
      if (count < 8) continue;
      count -= 8;
      const byte = (bits >> count) & 255;
      result += nibbles[byte >> 4] + nibbles[byte & 15];
    }
    return result;
  };
  let made = 0;
  const newId = () => {
    let id = '';
    for (const n of [DateOf.now() / 1000, Math.random() * 2 ** 32, made++]) id += slice('0000000' + (n >>> 0).toString(16), -8);
    return id;
  };
  function ObjectId(text) {
    if (!new.target) return text === undefined ? new ObjectId() : new ObjectId(text);
    this.str = text === undefined ? newId() : StringOf(text?.str ?? text);
    if (!/^[0-9a-f]{24}$/i.test(this.str)) throw new ErrorOf('invalid object id: length');
  }
  Object.assign(ObjectId.prototype, {
    toString() { return 'ObjectId("' + this.str + '")'; }, valueOf() { return this.str; }, toHexString() { return this.str; },
    equals(other) { return other?.str === this.str; },
    getTimestamp() { return new DateOf(Number('0x' + slice(this.str, 0, 8)) * 1000); },
  });
  function BinData(type, base64) {
    if (!new.target) return new BinData(type, base64);
    this.type = type;
    defineProperty(this, 'text', { value: StringOf(base64) });
    this.len = hex(this.text).length / 2;
  }
  Object.assign(BinData.prototype, {
    toString() { return 'BinData(' + this.type + ',"' + this.text + '")'; },
    base64() { return this.text; }, hex() { return hex(this.text); }, length() { return this.len; }, subtype() { return this.type; },
  });
  function Timestamp(t = 0, i = 0) {
    if (!new.target) return new Timestamp(t, i);
    this.t = t;
    this.i = i;
  }
  Timestamp.prototype.toString = function () { return 'Timestamp(' + this.t + ', ' + this.i + ')'; };
  function DBPointer(ns, id) {
    if (!new.target) return new DBPointer(ns, id);
    this.ns = ns;
    this.id = id;
  }
  function MinKey() { return new.target ? undefined : new MinKey(); }
  function MaxKey() { return new.target ? undefined : new MaxKey(); }
  const integer = (value) => Math.trunc(Number(value)), print = () => {};
  define({
    ObjectId, BinData, Timestamp, DBPointer, MinKey, MaxKey, NumberInt: integer, NumberLong: integer, NumberDecimal: Number,
    isNumber: (value) => typeof value === 'number', isObject: (value) => typeof value === 'object',
    print, printjson: print, tojson: stringify, tojsononeline: stringify,
    ISODate: (text) => (text === undefined ? new DateOf() : new DateOf(text)),
    sleep: (ms) => { wait(cell, 0, 0, min(ms, 10000)); },
  });
  Array.sum = (values) => values.reduce((sum, value) => sum + value, 0);
  Array.avg = (values) => Array.sum(values) / values.length;

  const MAKERS = {
    __proto__: null,
    n: Number, l: BigInt, u: () => undefined, min: () => new MinKey(), max: () => new MaxKey(),
    d: (ms) => new DateOf(ms ?? NaN), r: (source, flags) => new RegExpOf(source, flags), oid: (text) => new ObjectId(text),
    bin: (type, text) => new BinData(type, text), ts: (t, i) => new Timestamp(t, i),
    ptr: (ns, id) => new DBPointer(ns, new ObjectId(id)),
    doc: (entries) => {
      const doc = {};
      for (let i = 0; i < entries.length; i++) setField(doc, entries[i][0], revive(entries[i][1]));
      return doc;
    },
  };
  const setField = (doc, name, value) =>
    defineProperty(doc, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
  const revive = (value) => {
    if (typeof value !== 'object' || value === null) return value;
    if (isArray(value)) {
      for (let i = 0; i < value.length; i++) setField(value, i, revive(value[i]));
      return value;
    }
    if (hasOwn(value, '$t')) {
      const [kind, ...args] = value.$t;
      return apply(MAKERS[kind], undefined, args);
    }
    const names = keys(value);
    for (let i = 0; i < names.length; i++) {
      const field = value[names[i]];
      if (typeof field === 'object') setField(value, names[i], revive(field));
    }
    return value;
  };

  const isDate = (value) => {
    try { return value instanceof DateOf && (getTime(value), true); } catch { return false; }
  };
  const tag = (...parts) => ({ __proto__: null, $t: parts });
  const encodeObject = (value, depth) => {
    if (depth > 150) return tag('deep');
    if (isArray(value)) {
      const items = [], { length } = value;
      for (let i = 0; i < length; i++) items[i] = encode(value[i], depth + 1) ?? null;
      return items;
    }
    if (isDate(value)) return tag('d', getTime(value));
    if (value instanceof RegExpOf) return tag('r', StringOf(value.source), StringOf(value.flags));
    if (value instanceof ObjectId) return tag('oid', StringOf(value.str));
    if (value instanceof BinData) return tag('bin', +value.type, StringOf(value.text));
    if (value instanceof Timestamp) return tag('ts', +value.t, +value.i);
    if (value instanceof DBPointer) return tag('ptr', StringOf(value.ns), StringOf(value.id?.str));
    if (value instanceof MinKey) return tag('min');
    if (value instanceof MaxKey) return tag('max');
    const names = keys(value), doc = create(null), entries = [];
    let isTagged = false;
    for (let i = 0; i < names.length; i++) {
      const field = encode(value[names[i]], depth + 1);
      if (field === undefined) continue;
      if (names[i] === '$t') isTagged = true;
      doc[names[i]] = field;
      entries[entries.length] = [names[i], field];
    }
    return isTagged ? tag('doc', entries) : doc;
  };
  const encode = (value, depth = 0) => {
    switch (typeof value) {
      case 'number': return isFinite(value) && !is(value, -0) ? value : tag('n', is(value, -0) ? '-0' : StringOf(value));
      case 'bigint': return tag('l', StringOf(value));
      case 'object': return value === null ? null : encodeObject(value, depth);
      case 'string': case 'boolean': return value;
      default: return undefined;
    }
  };

  const functions = [];
  let emitted = [];
  const emit = (key, value) => { emitted[emitted.length] = [encode(key) ?? null, encode(value) ?? null]; };
  const answerTo = (request, thunk) => {
    const parsed = parse(request);
    if (parsed[0] === 0) {
      if (parsed[2]) define({ emit });
      return (define(revive(parsed[1])), '[0]');
    }
    if (parsed[0] === 1) {
      const fn = thunk();
      if (typeof fn !== 'function') return '[2]';
      functions[functions.length] = fn;
      return '[0]';
    }
    const [, fn, self, args, selfName] = parsed;
    const document = revive(self);
    if (selfName) define({ [selfName]: document });
    emitted = [];
    const value = apply(functions[fn], document, revive(args));
    return stringify([0, encode(value) ?? tag('u'), emitted]);
  };
  const describe = (error) => {
    if (typeof error !== 'object' || error === null) return 'Error: ' + StringOf(error);
    const { name = 'Error', message = StringOf(error) } = error;
    return StringOf(name) + ': ' + StringOf(message);
  };
  return (request, thunk) => {
    try { return answerTo(request, thunk); } catch (error) {
      try { return stringify([1, slice(describe(error), 0, 10000)]); } catch { return '[1,"Error: an error that cannot be shown"]'; }
    }
  };
})()`;
