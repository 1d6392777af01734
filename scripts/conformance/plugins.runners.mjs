// How the plugins' own test runners are called, so that each loads the adapter and leaves its results in a file.
import { join } from 'node:path';

const adapter = join(import.meta.dirname, 'plugins.adapter.cjs');
const TIMEOUT_MS = '60000'; // a busy machine is no difference

/** @returns arguments of node, and NODE_OPTIONS */
export function commandOf({ runner, files = [], config, nodeOptions = '' }, results) {
  return {
    args: RUNNERS[runner](files, results, config),
    nodeOptions: runner === 'vitest' ? `--require ${adapter}` : nodeOptions,
  };
}

/** What a suite reads of its environment; SERVER is the server's host and port. */
export const environmentOf = ({ env = {} }, uri) =>
  Object.fromEntries(Object.entries(env).map(([key, value]) => [key, value.replace('SERVER', new URL(uri).host)]));

const RUNNERS = {
  mocha: (files) => [
    'node_modules/mocha/bin/mocha.js',
    ...['--no-config', '--exit', '--timeout', TIMEOUT_MS],
    ...['--reporter', join(import.meta.dirname, 'lines.reporter.cjs'), '--require', adapter, ...files],
  ],
  jest: (files, results, config) => [
    'node_modules/jest/bin/jest.js',
    ...['--runInBand', '--testTimeout', TIMEOUT_MS, '--forceExit', '--ci', '--json', '--outputFile', results],
    ...(config ? ['--config', JSON.stringify({ ...config, setupFiles: [adapter] })] : ['--setupFiles', adapter]),
    ...files,
  ],
  vitest: (files, results) => [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter',
    'json',
    '--outputFile',
    results,
    ...files,
  ],
};
