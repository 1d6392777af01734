import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { filesUnder, mappedFiles } from '../support/architecture.map.js';

const root = join(import.meta.dirname, '../..');

it('the map has a line for each file, and none for another', () => {
  const map = mappedFiles(root, 'src');
  expect([...map.keys()].sort()).toEqual(filesUnder(root, 'src'));
  expect([...map].filter(([, text]) => text === '')).toEqual([]);
});
