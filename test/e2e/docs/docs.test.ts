import { describe, expect, it } from '@jest/globals';
import { pageBlocks, snippetRegions } from '../../support/pages.js';

describe.each(['docs/embedded-mongodb.md', 'docs/models.md', 'docs/pools.md', 'docs/bulk.md'])('%s', (page) => {
  const regions = snippetRegions('docs');

  it.each(pageBlocks(page).map((code) => [code.split('\n').slice(0, 3).join(' ⏎ '), code]))(
    'shows code that runs here: %s',
    (_, code) => {
      expect(regions).toContain(code);
    },
  );
});
