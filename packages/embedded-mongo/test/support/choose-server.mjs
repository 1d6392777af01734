// Jest's globalSetup: decides once, for every test file, which MongoDB the tests run on, and says so in one line.
//   MONGODB_URI  >  a mongod that mongodb-memory-server has or can fetch (one-node replica set)  >  the embedded server
// The chosen address is left in POLYMONGO_TEST_URI; empty means that each file starts its own embedded server.

/** Of the version whose words tests assert, and the embedded server speaks. */
export const MONGOD_VERSION = '7.0.14';
const PROBE_MS = 3000;

async function canFetchMongod() {
  const { DryMongoBinary } = await import('mongodb-memory-server');
  const { MongoBinaryDownloadUrl } = await import('mongodb-memory-server-core/lib/util/MongoBinaryDownloadUrl.js');
  const options = await DryMongoBinary.generateOptions({ version: MONGOD_VERSION });
  if (await DryMongoBinary.locateBinary(options)) return true;
  const { version, arch, os } = options;
  const url = await new MongoBinaryDownloadUrl({ version, platform: process.platform, arch, os }).getDownloadUrl();
  try {
    const { ok } = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(PROBE_MS) });
    return ok;
  } catch {
    return false; // no network, or one that refuses downloads
  }
}

async function startMongod() {
  const { MongoMemoryReplSet } = await import('mongodb-memory-server');
  const replSet = await MongoMemoryReplSet.create({
    binary: { version: MONGOD_VERSION },
    replSet: { count: 1, name: 'rs0', storageEngine: 'wiredTiger' },
  });
  globalThis.__MONGOD__ = replSet;
  return replSet.getUri();
}

export default async function chooseServer() {
  let uri = process.env.MONGODB_URI ?? '';
  let name = uri && 'the server at MONGODB_URI';
  if (!uri && (await canFetchMongod())) {
    try {
      uri = await startMongod();
      name = "mongodb-memory-server's mongod";
    } catch (error) {
      console.warn(`mongodb-memory-server could not start its mongod: ${error.message}`);
    }
  }
  process.env.POLYMONGO_TEST_URI = uri;
  console.log(`\nTests run on ${name || 'the embedded MongoDB (no MONGODB_URI, and no mongod to be had)'}.`);
}
