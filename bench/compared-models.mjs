import mongoose from 'mongoose';
import { PolyMongoWrapper } from 'nestjs-polymongo';
import { startServer } from './server.mjs';
import { userSchema } from './user.schema.mjs';

/** Users of a database, as wrapped models and plain ones reach them, on a server in a process of its own. */
export async function compareModels(documents) {
  const server = await startServer();
  const polymongo = new PolyMongoWrapper({ mongoURI: server.uri, autoIndex: false, handleSignals: false });
  const users = polymongo.wrapModel(new mongoose.Mongoose().model('User', userSchema()));
  const connections = [];
  const plainModel = async (options) => {
    const settings = { dbName: 'acme', autoIndex: false, autoCreate: false, maxPoolSize: 10, ...options };
    const connection = await mongoose.createConnection(server.uri, settings).asPromise();
    connections.push(connection);
    return connection.model('User', userSchema());
  };
  const plain = await plainModel({});
  await plain.deleteMany();
  const [{ _id }] = await plain.insertMany(documents);
  return {
    /** Of the first of the documents. */
    _id,
    /** A model of ours. */
    ours: () => users.db('acme'),
    plain,
    again: await plainModel({}),
    /** With a bound on the wait for a socket, as ours has by default. */
    bounded: await plainModel({ waitQueueTimeoutMS: 10_000 }),
    async close() {
      for (const connection of connections) await connection.close();
      await polymongo.actions.closeAll();
      server.stop();
    },
  };
}
