// Loaded before a plugin's own tests, in the checkout's place. Its mongoose connects to the server in MONGODB_URI,
// whatever address the tests name; with CONFORMANCE_AS, `mongoose.model(name, schema)` and that of every connection give
// wrapped models ("wrapper": the wrapper itself, on its default database; "database": what `.db(name)` gives), and
// connections are those of PolyMongo.
const { appendFileSync } = require('node:fs');
const path = require('node:path');
const { URL } = require('node:url');

const mongoose = require(path.join(process.cwd(), 'node_modules/mongoose'));
const server = new URL(process.env.MONGODB_URI.replace('mongodb:', 'http:'));
const DATABASE = 'plugin_tests';
const redirect = () => `mongodb://${server.host}/${DATABASE}${server.search}`;

// Suites from before mongoose 7 clean up and update with these.
mongoose.Model.remove ??= mongoose.Model.deleteMany;
mongoose.Model.update ??= function (filter, update, { multi, ...options } = {}) {
  return multi ? this.updateMany(filter, update, options) : this.updateOne(filter, update, options);
};

if (process.env.CONFORMANCE_AS) wrap();
else {
  const { openUri } = mongoose.Connection.prototype;
  mongoose.Connection.prototype.openUri = function (_uri, options) {
    return openUri.call(this, redirect(), options);
  };
}
if (process.env.CONFORMANCE_CONNECT) void mongoose.connect('mongodb://localhost/any');

/** Every instance of mongoose, those that the tests make included. */
function wrap() {
  const { PolyMongoWrapper } = require(path.join(process.cwd(), 'node_modules/nestjs-polymongo'));
  const { polymongoConnection } = require('./polymongo.connection.cjs');
  const isWrapper = process.env.CONFORMANCE_AS === 'wrapper';
  const onModel = (name) => appendFileSync(process.env.CONFORMANCE_MODELS, `${name}\n`);
  const open = (options) => {
    const db = polymongoConnection({ mongoose, PolyMongoWrapper, uri: redirect(), options, isWrapper, onModel });
    db.close = async () => {}; // suites close after one file and connect again in the next
    return db;
  };

  const mains = new WeakMap();
  const mainOf = (instance) => {
    if (!mains.has(instance)) mains.set(instance, open({ directConnection: undefined }));
    return mains.get(instance);
  };
  const methods = {
    model: (main, ...args) => main.model(...args),
    modelNames: (main) => main.modelNames(),
    deleteModel(main, which) {
      main.deleteModel(which);
      return this;
    },
    async connect(main) {
      await main.asPromise();
      return this;
    },
    disconnect: async () => {},
    createConnection: (_main, _uri, options) => open(options),
  };
  const { Mongoose } = mongoose;
  for (const [name, method] of Object.entries(methods)) {
    Mongoose.prototype[name] = mongoose[name] = function (...args) {
      const instance = this instanceof Mongoose ? this : mongoose;
      return method.call(instance, mainOf(instance), ...args);
    };
  }
  const views = {
    connection: {
      get() {
        return mainOf(this);
      },
    },
    models: {
      get() {
        return mainOf(this).models;
      },
      set(models) {
        if (mains.has(this)) mainOf(this).models = models; // else its constructor's own
      },
    },
  };
  Object.defineProperties(Mongoose.prototype, views);
  Object.defineProperties(mongoose, views);
}
