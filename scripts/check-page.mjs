/* global document -- used inside the page */
// Opens the sample app's page in a real headless Chromium: it shows shops and pools, an order placed on it and one
// placed elsewhere appear as live changes, and the change stream on the server is gone after the page closes.
//   node scripts/check-page.mjs [--screenshot FILE]
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import mongoose from 'mongoose';

const WAIT_MS = 20_000;
const { values } = parseArgs({ options: { screenshot: { type: 'string' } } });
const { chromium } = playwright();
const app = spawn('npm', ['start'], { env: { ...process.env, PORT: '0', MONGODB_URI: '' }, detached: true });
let output = '';
for (const stream of [app.stdout, app.stderr]) stream.on('data', (data) => (output += data));

let browser;
try {
  await until('the app runs', () => /Stop it with/.test(output));
  const url = output.match(/running at (\S+)/)[1];
  const mongoPort = output.match(/embedded MongoDB on port (\d+)/)[1];
  const client = await new mongoose.mongo.MongoClient(
    `mongodb://127.0.0.1:${mongoPort}/?directConnection=true`,
  ).connect();
  const streams = async () => {
    const pipeline = [
      { $currentOp: { idleCursors: true, allUsers: true } },
      { $match: { 'cursor.originatingCommand.pipeline.0.$changeStream': { $exists: true } } },
    ];
    return (await client.db('admin').aggregate(pipeline).toArray()).length;
  };
  if ((await streams()) !== 0) throw new Error('a change stream is open before the page is');

  browser = await chromium.launch({ executablePath: chromiumPath(), args: flags() });
  const page = await browser.newPage({ viewport: { width: 1000, height: 1000 } });
  const problems = [];
  page.on('pageerror', (error) => problems.push(error.message));
  await page.goto(url);
  await page.waitForFunction(() => document.getElementById('liveText').textContent === 'live', undefined, {
    timeout: WAIT_MS,
  });
  await page.waitForSelector('#tenants tr:nth-child(3)', { timeout: WAIT_MS });
  await page.waitForSelector('#pools tr:nth-child(2)', { timeout: WAIT_MS });
  await until('the change stream is open', async () => (await streams()) > 0);

  await page.click('#order button');
  await page.waitForFunction(() => /rye bread/.test(document.getElementById('changes').textContent), undefined, {
    timeout: WAIT_MS,
  });
  const headers = { 'content-type': 'application/json', 'x-tenant-id': 'bikes' };
  await fetch(`${url}/orders`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ item: 'bell', quantity: 3, price: 12.5 }),
  });
  await page.waitForFunction(() => /3 × bell/.test(document.getElementById('changes').textContent), undefined, {
    timeout: WAIT_MS,
  });
  await page.waitForFunction(() => /37[.,]50/.test(document.getElementById('tenants').textContent), undefined, {
    timeout: WAIT_MS,
  });
  if (values.screenshot) await page.screenshot({ path: values.screenshot });
  await page.close();
  await until('the change stream is closed on the server', async () => (await streams()) === 0);
  if (problems.length) throw new Error(`the page reports: ${problems.join('; ')}`);
  await client.close();
  console.log('page: ok');
} catch (error) {
  console.error(output);
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await browser?.close();
  process.kill(-app.pid, 'SIGTERM');
}

/** playwright-core, installed in a folder of its own: no user of the repository needs it. */
function playwright() {
  const folder = process.env.PLAYWRIGHT_DIR ?? mkdtempSync(join(tmpdir(), 'playwright-'));
  if (!existsSync(join(folder, 'node_modules/playwright-core'))) {
    execFileSync('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', '--silent', 'playwright-core@1'], {
      stdio: 'inherit',
    });
  }
  return createRequire(join(folder, 'package.json'))('playwright-core');
}

function chromiumPath() {
  const found = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
    existsSync(path),
  );
  if (!found) throw new Error('No Chromium: install it with `apt-get install chromium`.');
  return found;
}

function flags() {
  return [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ];
}

async function until(what, isTrue) {
  const end = Date.now() + WAIT_MS;
  while (!(await isTrue())) {
    if (Date.now() > end || app.exitCode !== null) throw new Error(`gave up waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
