import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

/** A test file, the one named before, a title in it, of which `…` stands for any part, or a script. */
const NAMED = /`((?:packages\/[\w-]+\/)?test\/[\w./-]+\.test\.ts)`|"([^"]+)"|`([\w./-]+\.mjs)`/g;
/** The first argument of `it`, `test` and `describe`, and of what their `each` gives. */
const TITLE = /(?:\)|\b(?:it|test|describe)(?:\.(?:only|skip))?)\(\s*(['"`])((?:\\.|(?!\1).)*)\1/gs;

const promises = readFileSync('docs/security.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('|') && !/^\| (promise|---)/.test(line))
  .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
  .map(([, promise, test]) => ({ promise: promise!, test: test! }));

const titlesOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(TITLE)].map(([, , title]) => title!.replaceAll(/\\(.)/g, '$1'));

const matches = (named: string) => {
  const parts = named.split('…').map((part) => part.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(parts.join('.*'), 's');
};

describe('the promises of docs/security.md', () => {
  let file = '';
  /** The tests that a promise names; of no file, those of the one that was named before. */
  const named = promises.map(({ promise, test }) => {
    const tests: { file: string; title?: string }[] = [];
    const scripts: string[] = [];
    for (const [, path, title, script] of test.matchAll(NAMED)) {
      if (path) tests.push({ file: (file = path) });
      else if (title) tests.push({ file, title });
      else scripts.push(script!);
    }
    return { promise, test, tests, scripts };
  });

  it('are there', () => {
    expect(promises.length).toBeGreaterThan(60);
  });

  it.each(named)('name tests that exist: $promise', ({ test, tests }) => {
    expect(tests).not.toEqual([]);
    expect(test).toMatch(/^(`(packages\/[\w-]+\/)?test\/|the same)/);
    for (const each of tests) {
      expect(existsSync(each.file) ? each.file : `no ${each.file}`).toBe(each.file);
      if (each.title) expect(titlesOf(each.file).filter((title) => matches(each.title!).test(title))).not.toEqual([]);
    }
  });

  const withScripts = named.filter(({ scripts }) => scripts.length > 0);

  it.each(withScripts)('name scripts that exist, and that .ci/run runs: $promise', ({ scripts }) => {
    const run = readFileSync('.ci/run', 'utf8');
    for (const script of scripts) {
      expect(existsSync(script) ? script : `no ${script}`).toBe(script);
      expect(run).toContain(`node ${script}`);
    }
  });

  it('name nothing else that looks like a file', () => {
    const files = promises.flatMap(({ test }) => [...test.matchAll(/`([^`]*\/[^`]*\.\w+)`/g)].map(([, path]) => path!));
    expect(files.filter((path) => !/\.(test\.ts|mjs)$/.test(path))).toEqual([]);
  });
});
