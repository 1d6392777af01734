// What is committed of the plugins' suites: how each is run (plugins.json, here), and what came of it
// (test/conformance/plugins.json), which docs/compatibility.md tells.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { problemsOf } from './list.check.mjs';

const root = resolve(import.meta.dirname, '../..');
const LIST = join(root, 'test/conformance/plugins.json');
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));

export const jobs = read(join(import.meta.dirname, 'plugins.json'));
const pinned = read(join(root, 'test/conformance/versions.json'));
const nestOf = ({ nest }) => pinned.nest[nest]?.core;

/** Writes the figures of a suite; what was said of a differing test stays. */
export function update(job, figures, folder) {
  const { name, repository, commit, mongoose } = job;
  const list = read(LIST);
  const before = list.find((entry) => entry.name === name)?.differing ?? [];
  const { version } = read(join(folder, 'package.json'));
  const entry = {
    ...{ name, repository, commit, version, mongoose, nest: nestOf(job), ...figures },
    differing: figures.differing.map(({ title, as }) => ({
      ...{ title, as },
      reason: before.find((known) => known.title === title)?.reason ?? '',
    })),
  };
  const byJob = (one) => jobs.findIndex((job) => job.name === one.name);
  const others = list.filter((one) => one.name !== name && byJob(one) >= 0);
  writeFileSync(
    LIST,
    JSON.stringify(
      [...others, entry].sort((a, b) => byJob(a) - byJob(b)),
      null,
      2,
    ) + '\n',
  );
}

/** @returns what is wrong with the list, or with what docs/compatibility.md says of it */
export function problems() {
  const list = read(LIST);
  const found = [];
  for (const job of jobs) {
    const entry = list.find(({ name }) => name === job.name);
    if (!entry) found.push(`${job.name} has no entry.`);
    else
      found.push(
        ...[...stale(entry, job), ...problemsOf(entry, toldOf(entry))].map((problem) => `${job.name}: ${problem}`),
      );
  }
  const unknown = list.filter(({ name }) => !jobs.some((job) => job.name === name));
  return [...found, ...unknown.map(({ name }) => `${name} has an entry, but nothing runs it.`)];
}

function stale(entry, job) {
  const now = { ...job, nest: nestOf(job) };
  const changed = ['repository', 'commit', 'mongoose', 'nest'].filter((key) => entry[key] !== now[key]);
  return changed.map((key) => `is listed with ${key} ${entry[key]}, and run with ${now[key]}.`);
}

const toldOf = (entry) => [
  rowOf(entry),
  ...entry.differing.flatMap(({ title, reason }) => [`${entry.name}: ${reason}`, `"${title}"`]),
];

const rowOf = ({ name, version, commit, mongoose, nest, tests, plain, wrapped }) =>
  `| ${[name, version, commit, [mongoose, nest].filter(Boolean).join(', Nest '), tests, plain, wrapped].join(' | ')} |`;
