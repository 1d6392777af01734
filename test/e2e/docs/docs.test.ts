import { describe, expect, it } from '@jest/globals';
import { pageBlocks, snippetRegions } from '../../../packages/embedded-mongo/test/support/pages.js';

describe.each([
  'docs/testing.md',
  'docs/models.md',
  'docs/pools.md',
  'docs/bulk.md',
  'docs/migrations.md',
  'docs/entering-a-tenant.md',
  'docs/health.md',
  'docs/metrics.md',
  'docs/tenant-life.md',
  'docs/move.md',
  'docs/migrate.md',
  'docs/several-roots.md',
])('%s', (page) => {
  const regions = snippetRegions(import.meta.dirname);

  it.each(pageBlocks(page).map((code) => [code.split('\n').slice(0, 3).join(' ⏎ '), code]))(
    'shows code that runs here: %s',
    (_, code) => {
      expect(regions).toContain(code);
    },
  );
});
