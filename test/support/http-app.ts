import 'reflect-metadata';
import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { App } from 'supertest/types.js';

/** A Nest application listening on a free port, for tests through real HTTP. */
export async function startHttpApp(metadata: ModuleMetadata): Promise<INestApplication<App>> {
  const module = await Test.createTestingModule(metadata).compile();
  const app = module.createNestApplication<INestApplication<App>>({ logger: ['fatal'] });
  await app.listen(0);
  return app;
}
