// The public surface as API Extractor reports it: test/api holds it for each entry, so that a change of it is seen in the
// commit that makes it. What it warns of (a member without a docstring, a type that is used and not exported) fails the
// check and is in no report. Reads what was built.
//   node scripts/check-api.mjs            compares
//   node scripts/check-api.mjs --update   writes what is there now
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';

const ENTRIES = [
  { name: 'nestjs-polymongo', folder: '.', entry: 'dist/esm/index.d.ts' },
  { name: 'nestjs-polymongo.testing', folder: '.', entry: 'dist/esm/testing/index.d.ts' },
  { name: 'nestjs-polymongo.terminus', folder: '.', entry: 'dist/esm/terminus/index.d.ts' },
  { name: 'nestjs-polymongo.prometheus', folder: '.', entry: 'dist/esm/prometheus/index.d.ts' },
  { name: 'nestjs-polymongo.opentelemetry', folder: '.', entry: 'dist/esm/opentelemetry/index.d.ts' },
  { name: 'embedded-mongo', folder: 'packages/embedded-mongo', entry: 'dist/esm/index.d.ts' },
];
/** Who uses a further entry uses this one, too. */
const mainEntry = readFileSync(ENTRIES[0].entry, 'utf8');
const isUpdate = process.argv.includes('--update');
const quiet = { logLevel: 'none' };
const temporary = mkdtempSync(join(tmpdir(), 'polymongo-api-'));
mkdirSync('test/api', { recursive: true });
const warnings = new Set();
try {
  const changed = ENTRIES.filter(({ name, folder, entry }) => !isAsReported(name, resolve(folder), entry));
  for (const { name } of isUpdate ? [] : changed)
    console.error(
      `${name} is not as test/api/${name}.api.md says. If that is meant: node scripts/check-api.mjs --update`,
    );
  for (const warning of warnings) console.error(warning);
  if (warnings.size > 0) console.error(`${warnings.size} to be documented or exported, or marked @internal.`);
  process.exitCode = warnings.size > 0 || (changed.length > 0 && !isUpdate) ? 1 : 0;
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

function isAsReported(name, projectFolder, entry) {
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(projectFolder, 'package.json'),
    configObject: {
      projectFolder,
      newlineKind: 'lf',
      mainEntryPointFilePath: join(projectFolder, entry),
      compiler: { tsconfigFilePath: join(projectFolder, 'tsconfig.build.json') },
      apiReport: {
        enabled: true,
        reportFolder: resolve('test/api'),
        reportTempFolder: temporary,
        reportFileName: `${name}.api.md`,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: quiet },
        tsdocMessageReporting: { default: quiet },
        extractorMessageReporting: {
          default: { logLevel: 'warning' },
          'ae-missing-release-tag': quiet,
          'ae-unresolved-link': quiet, // editors resolve {@link sibling}, this does not
        },
      },
    },
  });
  const { apiReportChanged } = Extractor.invoke(config, { localBuild: isUpdate, messageCallback: note });
  return !apiReportChanged;
}

function note(message) {
  const { logLevel, messageId, text, sourceFilePath, sourceFileLine } = message;
  message.handled = true;
  const isOfSource = sourceFilePath !== undefined && (logLevel === 'warning' || logLevel === 'error');
  const [, symbol] = messageId === 'ae-forgotten-export' ? /"(\w+)"/.exec(text) : [];
  const isInMainEntry = symbol !== undefined && new RegExp(`\\b${symbol}\\b`).test(mainEntry);
  if (isOfSource && !isInMainEntry)
    warnings.add(`${relative('.', sourceFilePath)}:${sourceFileLine} ${text} (${messageId})`);
}
