// mocha --require: lets mongoose's own tests judge wrapped models. The connections that test/common.js starts become
// PolyMongo's: `db.model(name, schema)` is a wrapped model on a database, all else of `db` is that database's
// connection. The checkout stays as it is: what this package imports as "mongoose" is the checkout, and the one call of
// test/common.js is changed while it is read.
//   POLYMONGO_DIST  the built package     POLYMONGO_AS=wrapper  gives the wrapper itself, on the default database
const Module = require('node:module');
const path = require('node:path');

const checkout = process.cwd();
const resolveFilename = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  const [, inside] = /^mongoose(?:\/(.*))?$/.exec(request) ?? [];
  const isMongoose = request === 'mongoose' || inside !== undefined;
  return resolveFilename.call(this, isMongoose ? path.join(checkout, inside ?? 'index.js') : request, ...rest);
};
const readSource = Module._extensions['.js'];
Module._extensions['.js'] = function (module, filename) {
  if (filename === path.join(checkout, 'test', 'common.js')) {
    const compile = module._compile;
    module._compile = function (source, ...rest) {
      const changed = source.replace(
        'const conn = mongoose.createConnection(uri, options);',
        'const conn = globalThis.__polymongo(uri, options);',
      );
      if (changed === source) throw new Error('test/common.js does not start its connections as it used to.');
      return compile.call(this, changed, ...rest);
    };
  }
  return readSource(module, filename);
};

const mongoose = require(path.join(checkout, 'index.js'));
const { PolyMongoWrapper } = require(process.env.POLYMONGO_DIST);
const { polymongoConnection } = require('./polymongo.connection.cjs');

globalThis.__polymongo = (uri, options) =>
  polymongoConnection({ mongoose, PolyMongoWrapper, uri, options, isWrapper: process.env.POLYMONGO_AS === 'wrapper' });
