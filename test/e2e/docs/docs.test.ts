import { describe, expect, it } from '@jest/globals';
import { pageBlocks, snippetRegions } from '../../support/pages.js';

const PAGE = 'docs/embedded-mongodb.md';

describe(PAGE, () => {
  const regions = snippetRegions('docs');

  it.each(pageBlocks(PAGE).map((code) => [code.split('\n').slice(0, 3).join(' ⏎ '), code]))(
    'shows code that runs here: %s',
    (_, code) => {
      expect(regions).toContain(code);
    },
  );
});
