// What is committed of mongoose's own suite (test/conformance/mongoose.json): figures per version, and each test that
// differs, with its reason. docs/compatibility.md tells the same.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { problemsOf } from './list.check.mjs';

const root = resolve(import.meta.dirname, '../..');
const LEAST_PERCENT = 99.8;

const readList = () => JSON.parse(readFileSync(join(root, 'test/conformance/mongoose.json'), 'utf8'));

/** @returns what is wrong with the list, or with what docs/compatibility.md says of it */
export function problems() {
  return readList().flatMap((entry) => {
    const told = [rowOf(entry), ...entry.differing.flatMap(({ title, reason }) => [`"${title}"`, reason])];
    const found = [...problemsOf(entry, told), ...tooFew(percentOf(entry))];
    return found.map((problem) => `mongoose ${entry.version}: ${problem}`);
  });
}

/** @returns the titles that a run found to differ and that nobody has given a reason for */
export function unlisted(version, differing) {
  const entry = readList().find((one) => one.version === version);
  const known = new Set(entry?.differing.map(({ title }) => title));
  return differing.filter((title) => !known.has(title));
}

const tooFew = (percent) => (percent >= LEAST_PERCENT ? [] : [`passes ${percent} %, less than ${LEAST_PERCENT} %.`]);

/** Rounded down. */
const percentOf = ({ plain, wrapped }) => Math.floor((wrapped / plain) * 10_000) / 100;
const rowOf = (entry) =>
  `| ${[entry.version, entry.commit, entry.plain, entry.wrapped, `${percentOf(entry)} %`].join(' | ')} |`;
