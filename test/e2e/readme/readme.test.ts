import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { startHttpApp } from '../../support/http-app.js';
import { pageBlocks, snippetRegions } from '../../../packages/embedded-mongo/test/support/pages.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  process.env.MONGODB_URI = server.uri;
});
afterAll(() => server.stop());

describe('the README', () => {
  const regions = snippetRegions(import.meta.dirname);

  it.each(pageBlocks('README.md').map((code) => [code.split('\n').slice(0, 3).join(' ⏎ '), code]))(
    'shows code that runs here: %s',
    (_, code) => {
      expect(regions).toContain(code);
    },
  );
});

describe('first steps', () => {
  let app: INestApplication<App>;
  beforeAll(async () => {
    const { AppModule } = await import('./first-steps.js');
    app = await startHttpApp({ imports: [AppModule] });
  });
  afterAll(() => app.close());

  it('serve each tenant its own users, and databases by name', async () => {
    const http = request(app.getHttpServer());
    const email = `ada.${Date.now()}@example.com`;
    await http.post('/users').set('x-tenant-id', 'acme').send({ email }).expect(201);
    const emails = async (path: string, tenant?: string) => {
      const { body } = await http
        .get(path)
        .set(tenant ? { 'x-tenant-id': tenant } : {})
        .expect(200);
      return (body as { email: string }[]).map((user) => user.email);
    };
    expect(await emails('/users', 'acme')).toContain(email);
    for (const [path, tenant] of [['/users', 'globex'], ['/users/archived'], ['/users/main']] as const) {
      expect(await emails(path, tenant)).not.toContain(email);
    }
    await http.get('/users').expect(400);
  });
});

describe('without Nest', () => {
  it('counts on two databases and closes', async () => {
    const { report } = await import('./without-nest.js');
    expect(await report(server.uri)).toEqual({ here: expect.any(Number), archived: expect.any(Number) });
  });
});
