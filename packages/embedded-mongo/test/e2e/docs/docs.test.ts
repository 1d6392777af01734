import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { pageBlocks, snippetRegions } from '../../support/pages.js';

const README = join(import.meta.dirname, '../../../README.md');

describe('the README', () => {
  const regions = snippetRegions(import.meta.dirname);

  it.each(pageBlocks(README).map((code) => [code.split('\n').slice(0, 3).join(' ⏎ '), code]))(
    'shows code that runs here: %s',
    (_, code) => {
      expect(regions).toContain(code);
    },
  );
});
