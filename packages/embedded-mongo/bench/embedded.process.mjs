// An embedded MongoDB in a process of its own, so that the client's memory and time are the client's alone.
// Asked by any message, it tells the bytes it uses.
import { EmbeddedMongo } from 'embedded-mongo';

const mongo = await EmbeddedMongo.start();
process.send(mongo.uri);
process.on('message', () => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  process.send(heapUsed + external);
});
process.once('disconnect', () => process.exit());
