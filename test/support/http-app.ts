import 'reflect-metadata';
import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { App } from 'supertest/types.js';

/** The HTTP platforms of Nest. */
export type AdapterName = 'Express' | 'Fastify';
export const ADAPTERS: Record<AdapterName, () => AbstractHttpAdapter> = {
  Express: () => new ExpressAdapter(),
  Fastify: () => new FastifyAdapter(),
};

/**
 * A Nest application listening on a free port, for tests through real HTTP.
 * @param prepare called before it is initialized
 */
export async function startHttpApp(
  metadata: ModuleMetadata,
  adapter: AdapterName = 'Express',
  prepare: (app: INestApplication<App>) => void = () => {},
): Promise<INestApplication<App>> {
  const module = await Test.createTestingModule(metadata).compile();
  const app = module.createNestApplication<INestApplication<App>>(ADAPTERS[adapter](), { logger: ['fatal'] });
  prepare(app);
  await app.listen(0);
  return app;
}
