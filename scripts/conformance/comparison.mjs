// What both suites share: a server, results by title, and what differs between a plain and a wrapped run.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';

const cli = resolve(import.meta.dirname, '../../dist/esm/cli/main.js');

/** An embedded server in a process of its own: this one waits for the runners. */
export async function startServer() {
  const server = spawn(process.execPath, [cli, 'embedded', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: server.stdout })) {
    const uri = /mongodb:\S+/.exec(line)?.[0];
    if (!uri) continue;
    server.stdout.resume();
    const ended = new Promise((done) => server.once('exit', done));
    return { uri, stop: () => (server.kill('SIGKILL'), ended) };
  }
  throw new Error('The embedded server did not start: run npm run build first.');
}

/** The tests of one run: by full title (the second of a title is "title #2"), each with its state and error. */
export function readResults(file, runner = 'mocha') {
  const tests = new Map();
  const seen = new Map();
  for (const { title, ...result } of existsSync(file) ? parse(readFileSync(file, 'utf8'), runner) : []) {
    const count = (seen.get(title) ?? 0) + 1;
    seen.set(title, count);
    tests.set(count > 1 ? `${title} #${count}` : title, result);
  }
  return tests;
}

function parse(text, runner) {
  if (runner === 'mocha') {
    const lines = text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    return lines.filter(({ title }) => title);
  }
  return JSON.parse(text).testResults.flatMap(({ assertionResults }) =>
    assertionResults.map(({ fullName, status, failureMessages }) => ({
      title: fullName,
      state: status,
      error: failureMessages.join('\n'),
    })),
  );
}

/** @returns how many tests pass plain, and which of them do not wrapped */
export function compare(plain, wrapped) {
  const passing = [...plain].filter(([, { state }]) => state === 'passed').map(([title]) => title);
  const differing = passing
    .filter((title) => wrapped.get(title)?.state !== 'passed')
    .map((title) => ({ title, error: wrapped.get(title)?.error ?? 'did not run' }));
  return { plain: passing.length, wrapped: passing.length - differing.length, differing };
}

/** Prints the figures, and writes them with what differs. */
export function report(suites, file) {
  for (const { suite, plain, wrapped } of suites) console.log(`${suite}: ${wrapped} of ${plain}`);
  const sum = (key) => suites.reduce((total, suite) => total + suite[key], 0);
  console.log(`together: ${sum('wrapped')} of ${sum('plain')}`);
  if (file) writeFileSync(file, JSON.stringify(suites, null, 2));
}
