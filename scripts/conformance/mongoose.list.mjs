// What is committed of mongoose's own suite (test/conformance/mongoose.json): figures per run, and each test that differs
// on any version, with its reason. docs/compatibility.md tells the same.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { problemsOf } from './list.check.mjs';

const root = resolve(import.meta.dirname, '../..');
const LEAST_PERCENT = 99.8;
/** What docs/compatibility.md calls that which the models of a run were. */
const NAMED = { database: '`.db(name)`', wrapper: 'the wrapper' };

const readList = () => JSON.parse(readFileSync(join(root, 'test/conformance/mongoose.json'), 'utf8'));

/** @returns what is wrong with the list, or with what docs/compatibility.md says of it */
export function problems() {
  const { runs, differing } = readList();
  return runs.flatMap((run) => {
    const ofRun = differing.filter(({ as }) => !as || as === run.as);
    const told = [rowOf(run), ...ofRun.flatMap(({ title, reason }) => [`"${title}"`, reason])];
    const found = [...problemsOf({ ...run, differing: ofRun }, told), ...tooFew(percentOf(run))];
    return found.map((problem) => `mongoose ${run.version} as ${run.as}: ${problem}`);
  });
}

/** @returns the titles that a run found to differ and that nobody has given a reason for */
export function unlisted(runAs, titles) {
  const known = new Set(readList().differing.flatMap(({ as = runAs, title }) => (as === runAs ? title : [])));
  return titles.filter((title) => !known.has(title));
}

const tooFew = (percent) => (percent >= LEAST_PERCENT ? [] : [`passes ${percent} %, less than ${LEAST_PERCENT} %.`]);

/** Rounded down. */
const percentOf = ({ plain, wrapped }) => Math.floor((wrapped / plain) * 10_000) / 100;
const rowOf = (entry) =>
  `| ${[entry.version, entry.commit, NAMED[entry.as], entry.plain, entry.wrapped, `${percentOf(entry)} %`].join(' | ')} |`;
