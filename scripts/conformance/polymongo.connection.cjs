// PolyMongo behind the face of a mongoose connection, for suites that were not written for it.
const { URL } = require('node:url');

/** What mongoose's connection takes and PolyMongo names itself, or takes per model. */
function optionsFrom({ autoIndex, autoCreate: _a, bufferCommands: _b, config, ...driverOptions }) {
  const isIndexed = autoIndex ?? config?.autoIndex;
  return { ...(isIndexed !== undefined && { autoIndex: isIndexed }), driverOptions };
}

/**
 * A stand-in for the mongoose connection that a foreign suite opens: `model(name, schema)` gives a wrapped model on the
 * database that the URI names, `deleteModel`, `models` and `close` do what such suites expect, and all else is that
 * database's own connection.
 * @param isWrapper models are the wrapper itself, on its default database, instead of `.db(name)`
 * @param onModel hears of each model that is wrapped
 */
exports.polymongoConnection = function ({ mongoose, PolyMongoWrapper, uri, options = {}, isWrapper = false, onModel }) {
  const { host, pathname, search } = new URL(uri.replace('mongodb://', 'http://'));
  const name = pathname.slice(1) || 'test';
  const settings = {
    mongoURI: `mongodb://${host}/${search}`,
    defaultDB: isWrapper ? name : 'polymongo_default',
    shutdownTimeoutMS: 1000,
    ...optionsFrom(options),
  };
  const wrappers = [];
  const faces = new WeakMap();
  let wrapper, connection, models;
  const begin = () => {
    wrappers.push((wrapper = new PolyMongoWrapper({ ...settings, handleSignals: false })));
    connection = wrapper.pools.connectionOf(name);
    connection.deleteModel = (which) => own.deleteModel(which); // model.db.deleteModel()
    models = new Map();
  };
  begin();

  const own = {
    model(given, givenSchema, collection, modelOptions) {
      const isPlain = typeof givenSchema === 'object' && givenSchema !== null && !givenSchema.instanceOfSchema;
      const schema = isPlain ? new mongoose.Schema(givenSchema) : givenSchema;
      const modelName = typeof given === 'function' ? given.name : given;
      if (this === proxy && !schema && !collection && models.has(modelName)) return models.get(modelName).model;
      // Who constructs it, asks for a model or redefines a name gets the connection's own answer.
      if (this !== proxy || !schema?.instanceOfSchema)
        return nativeModel.call(this === proxy ? connection : this, given, givenSchema, collection);
      if (typeof collection === 'object') [collection, modelOptions] = [undefined, collection];
      if (modelOptions?.overwriteModels || mongoose.get('overwriteModels')) own.deleteModel(modelName);
      const known = models.get(modelName);
      if (known?.schema === schema && !collection) return known.model;
      if (known) return nativeModel.call(connection, given, schema, collection);
      const blueprint = wrapper.models.define({ name: modelName, schema, ...(collection && { collection }) });
      const wrapped = wrapper.wrapModel(blueprint);
      const model = isWrapper ? wrapped : wrapped.db(name);
      models.set(modelName, { schema, blueprint, model });
      onModel?.(modelName);
      // Models that a test kept through deleteModel() find the new ones by name.
      for (const old of wrappers) if (old !== wrapper) old.pools.connectionOf(name).models[modelName] = model;
      return model;
    },
    /** PolyMongo forgets no model: another one begins, with those that stay. */
    deleteModel(which) {
      const isGone = (n) => (which instanceof RegExp ? which.test(n) : which === n);
      if (![...models.keys()].some(isGone)) return proxy;
      const stay = [...models].filter(([n]) => !isGone(n));
      begin();
      for (const [n, entry] of stay) {
        wrapper.models.adopt(entry.blueprint);
        models.set(n, entry);
      }
      return proxy;
    },
    async close() {
      await Promise.all(wrappers.map((w) => w.actions.forceCloseAll()));
    },
    destroy: () => own.close(),
    /** The connections of a PolyMongo end together, as those that share a client do. */
    useDb(other) {
      const connection = wrapper.pools.connectionOf(other);
      if (!faces.has(connection)) {
        const { close } = own;
        faces.set(
          connection,
          faceOf(() => connection, { close, destroy: close }),
        );
      }
      return faces.get(connection);
    },
    asPromise: async () => (await connection.asPromise(), proxy),
    get models() {
      return new Proxy(connection.models, {
        deleteProperty: (_, key) => !!own.deleteModel(key),
      });
    },
    set models(models) {
      if (Object.keys(models).length === 0) own.deleteModel(/.*/);
    },
  };
  const nativeModel = connection.model;
  const proxy = faceOf(() => connection, own);
  return proxy;
};

/** A connection with members of a stand-in's own. */
function faceOf(connectionNow, own) {
  return new Proxy(
    {},
    {
      get(_, key) {
        const connection = connectionNow();
        if (Object.hasOwn(own, key)) return own[key];
        const value = Reflect.get(connection, key, connection);
        return typeof value === 'function' && key !== 'constructor' ? value.bind(connection) : value;
      },
      set: (_, key, value) => Reflect.set(Object.hasOwn(own, key) ? own : connectionNow(), key, value),
      has: (_, key) => key in connectionNow(),
      getPrototypeOf: () => Object.getPrototypeOf(connectionNow()),
      ownKeys: () => Reflect.ownKeys(connectionNow()),
      getOwnPropertyDescriptor(_, key) {
        const found = Reflect.getOwnPropertyDescriptor(connectionNow(), key);
        return found && { ...found, configurable: true };
      },
    },
  );
}
