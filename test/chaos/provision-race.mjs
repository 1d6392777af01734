// Processes provision the same tenants at the same time; one of them is killed in the middle of a seed. Every tenant is
// seeded once, by whoever came first, and the killed one's is finished by another.
//   npm run build && node test/chaos/provision-race.mjs [processes] [tenants]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import mongoose from 'mongoose';
import { PolyMongoWrapper } from '../../dist/esm/index.js';
import { EmbeddedMongo } from '../../dist/esm/testing/index.js';

const THIS_FILE = fileURLToPath(import.meta.url);
const ORPHAN = 'orphan';

/** A process that provisions each tenant and says which of them were new; or is killed while it seeds. */
async function provision(mongoURI, tenants) {
  const polymongo = new PolyMongoWrapper({
    mongoURI,
    tenant: {
      resolve: () => undefined,
      seed: async (tenantId, connection) => {
        if (tenants[0] === ORPHAN) process.kill(process.pid, 'SIGKILL');
        await connection.collection('plans').insertOne({ name: 'free' });
      },
    },
  });
  const schema = new mongoose.Schema({ email: { type: String, unique: true } });
  polymongo.wrapModel(mongoose.model('Member', schema));
  const made = [];
  for (const tenantId of tenants) {
    const { isNew } = await polymongo.tenants.provision(tenantId);
    if (isNew) made.push(tenantId);
  }
  await polymongo.actions.closeAll();
  process.send(made);
  process.disconnect();
}

const start = (uri, tenants) => fork(THIS_FILE, ['--provision', uri, ...tenants]);

async function main(processes, tenants) {
  const mongo = await EmbeddedMongo.start();
  await once(start(mongo.uri, [ORPHAN]), 'exit');
  const ids = Array.from({ length: tenants }, (_, n) => `t${n}`);
  const racers = Array.from({ length: processes }, () => start(mongo.uri, [...ids, ORPHAN]));
  const made = (await Promise.all(racers.map(async (racer) => (await once(racer, 'message'))[0]))).flat();

  const client = await new mongoose.mongo.MongoClient(mongo.uri).connect();
  const wrong = [];
  for (const id of [...ids, ORPHAN]) {
    const db = client.db(`tenant_${id}`);
    const plans = await db.collection('plans').countDocuments();
    const isUnique = (await db.collection('members').indexes()).some(({ key, unique }) => key.email && unique);
    const makers = made.filter((other) => other === id).length;
    if (plans !== 1 || !isUnique || makers !== 1) wrong.push(`${id}: seeded ${plans} times, by ${makers} processes`);
  }
  await client.close();
  await mongo.stop();
  console.log(`${processes} processes, ${ids.length} tenants and one whose process was killed: ${wrong.length} wrong`);
  for (const line of wrong) console.log(line);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}

const [mode, uri, ...tenants] = process.argv.slice(2);
if (mode === '--provision') await provision(uri, tenants);
else await main(Number(mode ?? 4), Number(uri ?? 25));
