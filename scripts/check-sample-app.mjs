// Starts the sample app as a user does, on a free port, and runs every curl line it prints, as printed.
import { execFileSync, spawn } from 'node:child_process';

const START_MS = 60_000;
const app = spawn('npm', ['start'], { env: { ...process.env, PORT: '0', MONGODB_URI: '' }, detached: true });
let output = '';
app.stdout.on('data', (data) => (output += data));
app.stderr.on('data', (data) => (output += data));

const stop = () => {
  try {
    process.kill(-app.pid, 'SIGTERM');
  } catch {
    // it has ended already
  }
};

try {
  await until(() => /Stop it with/.test(output), 'the app says that it runs');
  const lines = output.split('\n').filter((line) => line.startsWith('curl '));
  if (lines.length < 3) throw new Error(`only ${lines.length} curl lines are printed`);
  for (const line of lines) {
    const answer = execFileSync('bash', ['-c', line], { encoding: 'utf8', timeout: 10_000 });
    JSON.parse(answer);
    console.log(`${line}\n  ${answer.slice(0, 160)}`);
  }
  const exited = new Promise((resolve) => app.once('exit', resolve));
  stop();
  await Promise.race([
    exited,
    new Promise((_, reject) => setTimeout(() => reject(new Error('the app does not end on SIGTERM')), 15_000).unref()),
  ]);
  console.log('sample app: ok');
} catch (error) {
  console.error(output);
  console.error(error.message);
  process.exitCode = 1;
  stop();
}

async function until(isTrue, what) {
  const end = Date.now() + START_MS;
  while (!isTrue()) {
    if (Date.now() > end || app.exitCode !== null) throw new Error(`gave up waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
