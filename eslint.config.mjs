import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * The one-way flow of lib (ARCHITECTURE.md): a folder imports only from the ones left of it.
 * The features (stats … bulk) never import each other.
 */
const FLOW = ['pools', 'models', 'tenant'];
/** What the pools are made of, a folder each; the others are `pools` with PolyMongoPools, which puts them together. */
const POOL_PARTS = ['sessions', 'databases', 'connections'];
/** The private places of mongoose and the driver, which all folders touch by. */
const NATIVE = 'native';
/** The same in the server. */
const SERVER = 'packages/embedded-mongo/src';
const SERVER_FLOW = ['bson', 'query', 'storage', 'commands', 'wire'];
const FEATURES = ['stats', 'watch', 'transaction', 'bulk', 'migrations', 'hooks', 'logging', 'health', 'metrics'];
/** Entries beside the main one, each for a package that need not be installed. */
const ENTRIES = ['terminus', 'prometheus', 'opentelemetry'];

/** The only tests that may wait for time to pass, each with its reason; the others wait for events. */
const WAITS = {
  'test/support/wait-for.ts': 'asks again for what tells nobody',
  'test/support/server-probe.ts': 'asks the server again',
  'test/support/settling.ts': 'the bound on work that hangs',
  'test/support/fuzz-work.ts': 'a timer is one of the ways to go on that it tries',
  'test/chaos/**': 'strikes at random moments',
  'test/unit/tenant/tenant.context.test.ts': 'timers carry the tenant',
  'test/unit/sessions/active.transaction.test.ts': 'timers carry the transaction',
  'test/e2e/tenancy/isolation.fuzz.test.ts': 'restarts the server at random moments',
  'test/e2e/tenancy/remembered-scope.test.ts': 'the bound on methods that wait for what others do',
  'test/e2e/tenancy/provisioning.test.ts': 'a seed that takes its time, so that others come meanwhile',
  'test/e2e/pools/idle-close.test.ts': 'the idle clock',
  'test/e2e/pools/leases.test.ts': 'the idle clock',
  'test/e2e/pools/pool.run.ts': 'the idle clock',
  'packages/embedded-mongo/test/unit/storage/expiry.test.ts': 'a pass that deletes nothing tells nobody',
  'packages/embedded-mongo/test/e2e/faults.test.ts': 'a server that is stalled for so long',
  'packages/embedded-mongo/test/e2e/watch-then-write.test.ts': 'the bound on a change that is lost',
};
const NO_WAIT =
  'Wait for an event: waitFor() of test/support asks for what tells nobody, turns() lets others go first.';

const TIMERS = ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'performance'];
const OWN_CLOCK = 'Waits go by lib/polymongo.clock.ts, which tests of applications can move.';

const restrict = (files, forbidden, message) => ({
  files,
  rules: {
    'no-restricted-imports': ['error', { patterns: [{ regex: forbidden, message }] }],
  },
});
const folders = (names) => `(^|/)(${names.join('|')})/`;
const ROOT = String.raw`polymongo\.(module|wrapper)\.js$|/lib/index\.js$|(^|\.\./)index\.js$`;
/** What the server may not import. */
const FOREIGN = String.raw`^(?!\.|node:|bson$|@mongodb-js/saslprep$)|/lib/`;
const OUTER = `${ROOT}|${folders(['cli', 'testing', 'decorators', ...ENTRIES])}|^embedded-mongo`;

export default tseslint.config(
  { ignores: ['**/dist', 'coverage', 'node_modules', 'scripts/examples'] }, // examples are projects of their own
  eslint.configs.recommended,
  ...tseslint.configs.recommended,
  {
    languageOptions: { parserOptions: { experimentalDecorators: true, emitDecoratorMetadata: true } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['{lib,test,sample-app,bench,packages}/**/*.ts'],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
    },
  },
  restrict(
    ['lib/*.ts', `lib/{decorators,${ENTRIES}}/**`],
    `${folders(['testing', 'cli'])}|^embedded-mongo`,
    'Only lib/testing loads the embedded server, and only the CLI loads lib/testing.',
  ),
  restrict(
    ['lib/polymongo.{options,pool-options,tenant-options,checks,uri,secrets,tokens,errors,events,peers,types}.ts'],
    `/providers/|${OUTER}`,
    'options, tokens, errors and events import nothing of lib.',
  ),
  restrict(
    [`lib/providers/${NATIVE}/**`],
    String.raw`^\.\./|^embedded-mongo`,
    'What names private places of mongoose and the driver imports nothing of lib.',
  ),
  ...FLOW.map((folder, i) =>
    restrict(
      (i === 0 ? [folder, ...POOL_PARTS] : [folder]).map((each) => `lib/providers/${each}/**`),
      `${folders([...FLOW.slice(i + 1), ...FEATURES])}|${OUTER}`,
      `providers/${folder} imports only from its left: polymongo.*, ${FLOW.slice(0, i).join(', ') || 'nothing else'}.`,
    ),
  ),
  ...FEATURES.map((folder) =>
    restrict(
      [`lib/providers/${folder}/**`],
      `${folders(FEATURES.filter((other) => other !== folder))}|${OUTER}`,
      'The features never import each other, nor the module above them.',
    ),
  ),
  {
    files: ['lib/providers/**/*.ts'],
    ignores: ['lib/providers/{bulk,metrics,logging,health}/**', 'lib/providers/migrations/tenant.migrator.ts'], // they measure
    rules: {
      'no-restricted-globals': ['error', ...TIMERS.map((name) => ({ name, message: OWN_CLOCK }))],
      'no-restricted-properties': ['error', { object: 'Date', property: 'now', message: OWN_CLOCK }],
    },
  },
  restrict([`${SERVER}/**`], FOREIGN, 'The server needs Node, bson and saslprep, and nothing of the module.'),
  ...SERVER_FLOW.map((folder, i) =>
    restrict(
      [`${SERVER}/${folder}/**`],
      `${FOREIGN}|${folders([...SERVER_FLOW.slice(i + 1), 'cli'])}|/(embedded-mongo|index)\\.js$`,
      `${folder} imports errors.ts, Node, bson, saslprep and only from its left: ${SERVER_FLOW.slice(0, i).join(', ') || 'nothing else'}.`,
    ),
  ),
  restrict(
    ['lib/testing/**'],
    String.raw`(^|/)(providers|decorators|cli|terminus|prometheus|opentelemetry)/|/embedded-mongo/`,
    'What helps tests uses the module and the package embedded-mongo, and no inner part.',
  ),
  {
    files: ['{test,packages/*/test}/**/*.ts'],
    ignores: Object.keys(WAITS),
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: "CallExpression[callee.name='setTimeout']", message: NO_WAIT },
        {
          selector:
            "ImportDeclaration[source.value='node:timers/promises'] ImportSpecifier[imported.name='setTimeout']",
          message: NO_WAIT,
        },
      ],
    },
  },
  restrict(['sample-app/**'], String.raw`/lib/`, 'The sample app imports the package by its name, as a user does.'),
  {
    files: [
      '**/*.config.mjs',
      'packages/*/test/support/{*-server,unit.environment}.mjs',
      'test/brokers/choose-brokers.mjs',
    ], // their readers want a default export
    rules: { 'no-restricted-exports': 'off' },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: { require: 'readonly', process: 'readonly', console: 'readonly' },
    },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        fetch: 'readonly',
        AbortSignal: 'readonly',
        URL: 'readonly',
        URLSearchParams: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        Buffer: 'readonly',
      },
    },
  },
);
