// An embedded MongoDB in a process of its own, so that the client's memory and time are the client's alone.
import { EmbeddedMongo } from '../dist/esm/testing/index.js';

const mongo = await EmbeddedMongo.start();
process.send(mongo.uri);
process.once('disconnect', () => process.exit());
