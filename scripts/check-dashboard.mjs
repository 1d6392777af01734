// Every expression of the Grafana dashboard finds something: a Prometheus (Debian's package) scrapes an application that
// does all that the dashboard shows, and evaluates them. Reads what was built.
//   node scripts/check-dashboard.mjs
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import mongoose from 'mongoose';
import { PolyMongoWrapper } from 'nestjs-polymongo';
import { collectPrometheusMetrics } from 'nestjs-polymongo/prometheus';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { Registry } from 'prom-client';

const PATIENCE_MS = 60_000;
/** Two scrapes and more, one a second. */
const WINDOW = '10s';
const dashboard = JSON.parse(readFileSync('docs/grafana/dashboard.json', 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'polymongo-prometheus-'));
const mongo = await EmbeddedMongo.start();
const polymongo = new PolyMongoWrapper({
  mongoURI: mongo.uri,
  maxPoolSize: 2,
  waitQueueTimeoutMS: 100,
  handleSignals: false,
});
const registry = new Registry();
await collectPrometheusMetrics(polymongo, { registry });
const app = createServer((_, response) => registry.metrics().then((text) => response.end(text))).listen(0, '127.0.0.1');
await once(app, 'listening');
const prometheus = await startPrometheus(app.address().port);
let isOver = false;
const working = work();
try {
  const found = await Promise.all([...variables(), ...expressions()].map(evaluate));
  for (const { what, count } of found) console.log(`${what}: ${count}`);
  const empty = found.filter(({ count }) => count === 0);
  for (const { what, expression } of empty) console.error(`${what} finds nothing: ${expression}`);
  process.exitCode = empty.length > 0 ? 1 : 0;
} finally {
  isOver = true;
  await working;
  prometheus.stop();
  app.close();
  await polymongo.actions.closeAll();
  await mongo.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** What the panels ask, with the variables as Grafana puts them in where all are chosen. */
function expressions() {
  return dashboard.panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => ({ what: title, path: 'query', expression: filledIn(expr) })),
  );
}

function variables() {
  return dashboard.templating.list
    .filter(({ type }) => type === 'query')
    .map(({ name, query }) => {
      const [, selector, label] = /^label_values\((.+), (\w+)\)$/.exec(query.query);
      return { what: `variable ${name}`, path: `label/${label}/values`, expression: filledIn(selector) };
    });
}

function filledIn(expression) {
  const values = { __rate_interval: WINDOW };
  for (const { name, allValue } of dashboard.templating.list) values[name] = allValue;
  return expression.replace(/\$(\w+)/g, (whole, name) => values[name] ?? whole);
}

/** Asks until there is something, which takes some scrapes. An expression that is none ends it at once. */
async function evaluate({ what, path, expression }) {
  const endBy = Date.now() + PATIENCE_MS;
  const query = new URLSearchParams({ [path === 'query' ? 'query' : 'match[]']: expression });
  for (;;) {
    const answer = await (await fetch(`${prometheus.url}/api/v1/${path}?${query}`)).json();
    if (answer.status !== 'success') throw new Error(`${what}: ${answer.error}: ${expression}`);
    const values = path === 'query' ? answer.data.result.filter(({ value }) => value[1] !== 'NaN') : answer.data;
    if (values.length > 0 || Date.now() > endBy) return { what, expression, count: values.length };
    await sleep(500);
  }
}

/** Finds, inserts, failures, tenants, more calls than sockets, waits in vain, and sockets that come and go. */
async function work() {
  const schema = new mongoose.Schema({ n: { type: Number, unique: true } });
  const notes = polymongo.tenantModel(mongoose.model('Note', schema));
  const settled = (calls) => Promise.allSettled(calls);
  for (let round = 0; !isOver; round++) {
    for (const tenant of ['acme', 'globex']) {
      await settled([
        polymongo.tenants.run(tenant, () => notes.create({ n: round })),
        polymongo.tenants.run(tenant, () => notes.create({ n: 0 })),
        polymongo.tenants.run(tenant, () => notes.find()),
      ]);
    }
    mongo.stall(150);
    await settled(Array.from({ length: 6 }, () => polymongo.tenants.run('acme', () => notes.countDocuments())));
    if (round % 5 === 4) mongo.dropConnections();
    await sleep(100);
  }
}

async function startPrometheus(port) {
  const at = await freePort();
  const config = join(folder, 'prometheus.yml');
  const targets = `[{ targets: ['127.0.0.1:${port}'] }]`;
  writeFileSync(
    config,
    `global: { scrape_interval: 1s }\nscrape_configs: [{ job_name: shop, static_configs: ${targets} }]\n`,
  );
  const url = `http://127.0.0.1:${at}`;
  const server = spawn(
    'prometheus',
    [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`, `--web.listen-address=127.0.0.1:${at}`],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  server.stderr.on('data', (text) => (log += text));
  const ended = new Promise((_, reject) => {
    server.on('error', reject);
    server.on('exit', (code) => reject(new Error(`prometheus ended with ${code}:\n${log}`)));
  });
  ended.catch(() => {});
  for (;;) {
    const isReady = await Promise.race([
      fetch(`${url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      ),
      ended,
    ]);
    if (isReady) return { url, stop: () => server.kill() };
    await sleep(100);
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}
