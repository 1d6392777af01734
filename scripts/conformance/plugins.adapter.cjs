// Loaded before a plugin's own tests, in the checkout's place. Its mongoose connects to the server in MONGODB_URI,
// whatever address the tests name; with CONFORMANCE_WRAPPED, `mongoose.model(name, schema)` and that of every connection give
// wrapped models (the wrapper itself, on its default database), and connections are those of PolyMongo.
const path = require('node:path');
const { URL } = require('node:url');

const mongoose = require(path.join(process.cwd(), 'node_modules/mongoose'));
const server = new URL(process.env.MONGODB_URI.replace('mongodb:', 'http:'));
const DATABASE = 'plugin_tests';
const redirect = () => `mongodb://${server.host}/${DATABASE}${server.search}`;

if (process.env.CONFORMANCE_WRAPPED) {
  const { PolyMongoWrapper } = require(path.join(process.cwd(), 'node_modules/nestjs-polymongo'));
  const { polymongoConnection } = require('./polymongo.connection.cjs');
  const open = (options) => {
    const db = polymongoConnection({ mongoose, PolyMongoWrapper, uri: redirect(), options, isWrapper: true });
    db.close = async () => {}; // suites close after one file and connect again in the next
    return db;
  };
  const main = open({ directConnection: undefined });
  Object.defineProperty(mongoose, 'connection', { value: main });
  Object.defineProperty(mongoose, 'models', {
    get: () => main.models,
    set(models) {
      if (Object.keys(models).length === 0) main.deleteModel(/.*/);
    },
  });
  Object.assign(mongoose, {
    model: (...args) => main.model(...args),
    modelNames: () => main.modelNames(),
    deleteModel: (which) => (main.deleteModel(which), mongoose),
    connect: async () => (await main.asPromise(), mongoose),
    disconnect: async () => {},
    createConnection: (_uri, options) => open(options),
  });
} else {
  const { openUri } = mongoose.Connection.prototype;
  mongoose.Connection.prototype.openUri = function (_uri, options) {
    return openUri.call(this, redirect(), options);
  };
}
if (process.env.CONFORMANCE_CONNECT) void mongoose.connect('mongodb://localhost/any');
