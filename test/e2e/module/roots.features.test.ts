import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable, type ModuleMetadata } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import type { Connection } from 'mongoose';
import {
  getPolyMongoToken,
  InvalidDatabaseNameError,
  OnChange,
  OnDbConnect,
  OnDbDisconnect,
  OnDbError,
  PolyMongoMigrations,
  PolyMongoMigrationsModule,
  PolyMongoOptionsError,
} from 'nestjs-polymongo';
import { PolyMongoOpenTelemetryModule } from 'nestjs-polymongo/opentelemetry';
import { PolyMongoPrometheusModule } from 'nestjs-polymongo/prometheus';
import { PolyMongoHealthIndicator } from 'nestjs-polymongo/terminus';
import { Registry } from 'prom-client';
import { uniqueName } from '../../support/database-names.js';
import { deferred } from '../../support/deferred.js';
import { Note } from '../../support/notes.js';
import { RecordingMeter, RecordingTracer } from '../../support/opentelemetry.js';
import { AUDIT, rootsModules, TwoRoots } from '../../support/roots-app.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';
import { noting } from '../migrations/migrations.fixture.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

/** An application of two roots in databases that begin with `prefix`. */
async function start(prefix: string, { imports = [], providers = [] }: ModuleMetadata = {}) {
  const app = await Test.createTestingModule({
    imports: [...rootsModules(server.uri, prefix), ...imports],
    providers: [TwoRoots, ...providers],
  }).compile();
  await app.init();
  return { app, two: app.get(TwoRoots) };
}
const auditOf = <T>(app: TestingModule, part: Parameters<typeof getPolyMongoToken>[0]) =>
  app.get<T>(getPolyMongoToken(part, AUDIT));

describe('decorated hooks', () => {
  it('hear of the databases of their own root', async () => {
    const heard: string[] = [];
    const prefix = uniqueName('roots');
    @Injectable()
    class Hooks {
      @OnDbConnect()
      @OnDbDisconnect()
      main({ name, readyState }: Connection): void {
        heard.push(`main ${name} ${readyState}`);
      }

      @OnDbConnect({ root: AUDIT })
      @OnDbDisconnect({ root: AUDIT })
      audit({ name, readyState }: Connection): void {
        heard.push(`audit ${name} ${readyState}`);
      }

      @OnDbConnect(`${prefix}_main_acme`, `${prefix}_audit_acme`, { root: AUDIT })
      named({ name }: Connection): void {
        heard.push(`named ${name}`);
      }
    }
    const { app, two } = await start(prefix, { providers: [Hooks] });
    await two.mainTenants.run('acme', () => two.notes.countDocuments());
    await two.auditTenants.run('acme', () => two.audits.countDocuments());
    await app.close();
    const of = (root: string) => heard.filter((line) => line.startsWith(root)).sort();
    for (const root of ['main', AUDIT]) {
      const names = [`${prefix}_${root}`, `${prefix}_${root}_acme`];
      expect(of(root)).toEqual(names.flatMap((name) => [`${root} ${name} 1`, `${root} ${name} 3`]));
    }
    expect(of('named')).toEqual([`named ${prefix}_audit_acme`]);
  });

  it('take a root’s name and no other options', () => {
    expect(() => OnDbError({ root: 'a b' })).toThrow(PolyMongoOptionsError);
    expect(() => OnDbError({ rot: AUDIT } as never)).toThrow(PolyMongoOptionsError);
    expect(() => OnDbConnect({ root: AUDIT }, 'acme')).toThrow(InvalidDatabaseNameError);
  });
});

describe('change handlers', () => {
  it('are given the changes of their own root', async () => {
    const opened = [deferred(), deferred()];
    const both = deferred();
    const seen: string[] = [];
    @Injectable()
    class Handlers {
      @OnChange({ model: Note.name, operationTypes: ['insert'], onOpen: () => opened[0]!.resolve() })
      main({ ns }: { ns: { db: string } }): void {
        this.#saw('main', ns);
      }

      @OnChange({ model: Note.name, root: AUDIT, operationTypes: ['insert'], onOpen: () => opened[1]!.resolve() })
      audit({ ns }: { ns: { db: string } }): void {
        this.#saw('audit', ns);
      }

      #saw(root: string, { db }: { db: string }): void {
        seen.push(`${root} ${db}`);
        if (seen.length === 2) both.resolve();
      }
    }
    const prefix = uniqueName('roots');
    const { app, two } = await start(prefix, { providers: [Handlers] });
    await Promise.all(opened.map(({ promise }) => promise));
    await two.mainNotes.create({ tenant: 'none' });
    await two.auditNotes.create({ tenant: 'none' });
    await both.promise;
    await app.close(); // waits for what is in hand
    expect(seen.sort()).toEqual([`audit ${prefix}_audit`, `main ${prefix}_main`]);
  });
});

describe('migrations', () => {
  it('are each root’s own, and run for its tenants', async () => {
    const prefix = uniqueName('roots');
    const { app, two } = await start(prefix, {
      imports: [
        PolyMongoMigrationsModule.forRoot({ classes: [noting('0001-main')] }),
        PolyMongoMigrationsModule.forRoot({ root: AUDIT, classes: [noting('0001-audit'), noting('0002-audit')] }),
      ],
    });
    await two.mainTenants.provision('acme');
    await two.auditTenants.provision('acme');
    const version = async (migrations: PolyMongoMigrations) => (await migrations.statusOf('acme')).version;
    expect(await version(app.get(PolyMongoMigrations))).toBe('0001-main');
    expect(await version(auditOf(app, PolyMongoMigrations))).toBe('0002-audit');
    expect(await two.mainTenants.run('acme', () => two.notes.distinct('text'))).toEqual(['0001-main']);
    expect(await two.auditTenants.run('acme', () => two.audits.distinct('text'))).toEqual(['0001-audit', '0002-audit']);
    await app.close();
  });
});

describe('what watches over a root', () => {
  it('tells the health of the one that is named', async () => {
    const OfAudit = PolyMongoHealthIndicator.of(AUDIT);
    const { app, two } = await start(uniqueName('roots'), { providers: [PolyMongoHealthIndicator, OfAudit] });
    await two.auditNotes.countDocuments();
    const poolsOf = async (indicator: typeof OfAudit) => {
      const { mongodb } = await app.get(indicator).isHealthy();
      return mongodb.clusters.flatMap(({ pools }) => pools.map(({ state }) => state));
    };
    expect(await poolsOf(PolyMongoHealthIndicator as typeof OfAudit)).toEqual(['cold']);
    expect(await poolsOf(OfAudit)).toEqual(['connected']);
    await app.close();
  });

  it('measures the one that is named, for Prometheus', async () => {
    const registries = [new Registry(), new Registry()] as const;
    const { app, two } = await start(uniqueName('roots'), {
      imports: [
        PolyMongoPrometheusModule.forRoot({ registry: registries[0] }),
        PolyMongoPrometheusModule.forRoot({ registry: registries[1], root: AUDIT }),
      ],
    });
    await two.auditTenants.run('acme', () => two.audits.countDocuments());
    const [main, audit] = await Promise.all(registries.map((registry) => registry.metrics()));
    expect(main).not.toContain('polymongo_tenant="acme"');
    expect(audit).toContain('polymongo_tenant="acme"');
    await app.close();
  });

  it('tells the roots apart in what it sends to OpenTelemetry', async () => {
    const [meterProvider, tracerProvider] = [new RecordingMeter(), new RecordingTracer()];
    const { app, two } = await start(uniqueName('roots'), {
      imports: [
        PolyMongoOpenTelemetryModule.forRoot({ meterProvider, tracerProvider }),
        PolyMongoOpenTelemetryModule.forRoot({ meterProvider, tracerProvider, root: AUDIT }),
      ],
    });
    await two.auditTenants.run('acme', () => two.audits.countDocuments());
    await two.mainTenants.run('acme', () => two.notes.countDocuments());
    const roots = (found: readonly { attributes: Record<string, unknown> }[]) =>
      new Set(
        found
          .filter(({ attributes }) => attributes['polymongo.tenant'] === 'acme')
          .map(({ attributes }) => attributes['polymongo.root']),
      );
    expect(roots(meterProvider.of('db.client.operation.duration'))).toEqual(new Set([undefined, AUDIT]));
    expect(roots(tracerProvider.spans)).toEqual(new Set([undefined, AUDIT]));
    await app.close();
  });
});
