// What holds for every committed list of tests that differ, and for what docs/compatibility.md says of it.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** Lines and cells are broken and padded as the formatter likes. */
const squeeze = (text) => text.replace(/\s+/g, ' ');
const docs = squeeze(readFileSync(resolve(import.meta.dirname, '../../docs/compatibility.md'), 'utf8'));

/**
 * @param told what the docs have to say of it, word for word
 * @returns what is wrong with an entry: its figures, its reasons, or that the docs do not say them
 */
export function problemsOf({ plain, wrapped, differing }, told) {
  const untold = [...new Set(told)].filter((text) => !docs.includes(squeeze(text)));
  return [
    ...(wrapped + differing.length === plain ? [] : ['names other tests than its figures say.']),
    ...differing.filter(({ reason }) => !reason).map(({ title }) => `"${title}" has no reason.`),
    ...untold.map((text) => `docs/compatibility.md does not say\n  ${text}`),
  ];
}
