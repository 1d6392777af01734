import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { BulkFixture } from '../bulk/bulk.fixture.js';

/** A database for the commands of a test file, and a folder for their files, which goes with it. */
export interface CliShop {
  readonly fixture: BulkFixture;
  readonly shop: string;
  readonly folder: string;
}

/** @param begin called before all tests */
export function useShop(begin: (made: CliShop) => unknown): void {
  let made: CliShop;
  beforeAll(async () => {
    const fixture = await BulkFixture.start();
    made = { fixture, shop: fixture.name(), folder: await mkdtemp(join(tmpdir(), 'polymongo-cli-')) };
    await begin(made);
  });
  afterAll(async () => {
    await made.fixture.stop();
    await rm(made.folder, { recursive: true });
  });
}
