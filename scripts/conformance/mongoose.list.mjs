// What is committed of mongoose's own suite (test/conformance/mongoose.json): figures per version, and each test that
// differs, with its reason. docs/compatibility.md tells the same.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const LEAST_PERCENT = 99.8;

const readList = () => JSON.parse(readFileSync(join(root, 'test/conformance/mongoose.json'), 'utf8'));

/** @returns what is wrong with the list, or with what docs/compatibility.md says of it */
export function problems() {
  const docs = squeeze(readFileSync(join(root, 'docs/compatibility.md'), 'utf8'));
  return readList().flatMap((entry) =>
    problemsOf(entry, docs).map((problem) => `mongoose ${entry.version}: ${problem}`),
  );
}

/** @returns the titles that a run found to differ and that nobody has given a reason for */
export function unlisted(version, differing) {
  const entry = readList().find((one) => one.version === version);
  const known = new Set(entry?.differing.map(({ title }) => title));
  return differing.filter((title) => !known.has(title));
}

function problemsOf(entry, docs) {
  const { plain, wrapped, differing } = entry;
  const told = [rowOf(entry), ...differing.flatMap(({ title, reason }) => [`"${title}"`, reason])];
  const untold = [...new Set(told)].filter((text) => !docs.includes(squeeze(text)));
  return [
    ...(wrapped + differing.length === plain ? [] : ['names other tests than its figures say.']),
    ...(percentOf(entry) >= LEAST_PERCENT ? [] : [`passes ${percentOf(entry)} %, less than ${LEAST_PERCENT} %.`]),
    ...differing.filter(({ reason }) => !reason).map(({ title }) => `"${title}" has no reason.`),
    ...untold.map((text) => `docs/compatibility.md does not say\n  ${text}`),
  ];
}

/** Rounded down. */
const percentOf = ({ plain, wrapped }) => Math.floor((wrapped / plain) * 10_000) / 100;
const rowOf = (entry) =>
  `| ${[entry.version, entry.commit, entry.plain, entry.wrapped, `${percentOf(entry)} %`].join(' | ')} |`;
/** Lines and cells are broken and padded as the formatter likes. */
const squeeze = (text) => text.replace(/\s+/g, ' ');
