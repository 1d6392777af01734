import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import {
  fromHeader,
  InjectTenantModel,
  TenantDatabaseTakenError,
  TenantDuplicatesError,
  TenantError,
  type TenantModel,
} from 'nestjs-polymongo';
import { startHttpApp, type AdapterName } from '../../support/http-app.js';
import { Note, notesModules } from '../../support/notes.js';
import { mulberry32 } from '../../support/random.js';
import { printedSeed } from '../../support/seed.js';
import { isOneDatabase, MAPPINGS, randomId, randomUnicodeId } from '../../support/tenant-mappings.js';
import { TenantProcesses } from '../../support/tenant-processes.js';
import { waitFor } from '../../support/wait-for.js';

const SEED = printedSeed('ids that map to one database');
const STEPS = Number(process.env.POLYMONGO_STEPS ?? 25);
const ANY = /^[\w-]+$/;
const ANY_LETTERS = /^[\p{L}\p{M}\p{N}\p{S}\p{Cs}_-]+$/u;

@Controller()
class NotesController {
  constructor(@InjectTenantModel(Note.name) private readonly notes: TenantModel<Note>) {}

  @Get('notes')
  list() {
    return this.notes.find();
  }
}

let processes: TenantProcesses;
beforeEach(async () => {
  processes = await TenantProcesses.start();
});
afterEach(() => processes.stop());

const lowerCase = (id: string): string => `${processes.prefix}_${id.toLowerCase()}`;

describe('two ids that map to one database', () => {
  it.each([
    ['lowerCase', 'ASCII', randomId],
    ['truncated', 'ASCII', randomId],
    ['withoutDashes', 'ASCII', randomId],
    ['suffixed', 'ASCII', randomId],
    ['asItIs', 'Unicode', randomUnicodeId],
    ['composed', 'Unicode', randomUnicodeId],
    ['turkishLowerCase', 'Unicode', randomUnicodeId],
  ] as const)(`never share it, in one process or across several: %s, ids of %s`, async (mapping, _, idOf) => {
    const random = mulberry32(SEED);
    const [prefix, map] = [processes.prefix, MAPPINGS[mapping]!];
    const database = (id: string) => `${prefix}_${map(id)}`;
    const tenant = { pattern: ANY_LETTERS, database, exists: 'provisioned' } as const;
    const all = [processes.add(tenant), processes.add(tenant)];
    const owners = new Map<string, string>();
    for (let step = 0; step < STEPS; step++) {
      const id = idOf(random);
      const polymongo = all[random() < 0.5 ? 0 : 1]!;
      const key = [...owners.keys()].find((name) => isOneDatabase(name, database(id))) ?? database(id);
      const owner = owners.get(key);
      try {
        if (owner === id && random() < 0.3) {
          await polymongo.tenants.deprovision(id, { confirm: id });
          owners.delete(key);
        } else {
          const { isNew } = await polymongo.tenants.provision(id);
          expect(owner ?? id).toBe(id);
          owners.set(key, id);
          if (isNew) expect(await processes.count(polymongo, id)).toBe(0);
          await processes.write(polymongo, id);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(TenantError);
        expect(error).toMatchObject({ status: 400 });
        if (error instanceof TenantDatabaseTakenError) expect(owner === undefined || owner === id).toBe(false);
        if (owner !== undefined && owner !== id)
          await expect(polymongo.tenants.deprovision(id, { confirm: id })).rejects.toThrow(error as TenantError);
      }
    }
    expect(await all[0]!.tenants.list()).toEqual([...owners.values()].sort());
    for (const id of owners.values()) {
      const notes = await all[1]!.tenants.run(id, () => processes.notesOf(all[1]!).tenant().find().lean().exec());
      expect(new Set(notes.map(({ tenant: of }) => of))).toEqual(new Set([id]));
    }
  });

  it('are refused whoever comes first, also where neither has been provisioned', async () => {
    const polymongo = processes.add({ pattern: ANY, database: lowerCase });
    await processes.write(polymongo, 'Acme');
    await expect(processes.write(polymongo, 'acme')).rejects.toThrow(TenantDatabaseTakenError);
    await expect(polymongo.tenants.deprovision('acme', { confirm: 'acme' })).rejects.toThrow(TenantDatabaseTakenError);
    expect(await processes.count(polymongo, 'Acme')).toBe(1);
    expect(await processes.registry('polymongo_tenants').countDocuments()).toBe(0); // a mere sight writes nothing
  });

  it('do not keep the real tenant out when the other id is none', async () => {
    const polymongo = processes.add({ pattern: ANY, database: lowerCase, exists: (id) => id === 'acme' });
    const kept = polymongo.tenantContext.run('ACME', () => processes.notesOf(polymongo).tenant());
    await expect(processes.write(polymongo, 'ACME')).rejects.toThrow(TenantError);
    await processes.write(polymongo, 'acme');
    const crossing = polymongo.tenantContext.run('ACME', () => kept.find().exec());
    await expect(crossing).rejects.toThrow(TenantDatabaseTakenError);
  });

  it('are one tenant only when two processes provision them at the same moment', async () => {
    const tenant = { pattern: ANY, database: lowerCase };
    const ids = ['acme', 'Acme', 'ACME', 'aCME'];
    const done = await Promise.allSettled(ids.map((id) => processes.add(tenant).tenants.provision(id)));
    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of done) {
      if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(TenantDatabaseTakenError);
    }
  });

  it('are reported when they were provisioned before it was refused, and stop nothing but being removed', async () => {
    const polymongo = processes.add({ pattern: ANY, database: lowerCase, exists: 'provisioned' });
    const database = lowerCase('acme');
    const record = { database, state: 'ready', createdAt: new Date() };
    await processes
      .registry('polymongo_tenants')
      .insertMany(
        ['acme', 'ACME', 'globex'].map((_id) =>
          _id === 'globex' ? { ...record, _id, database: lowerCase(_id) } : { ...record, _id },
        ) as never,
      );
    const reported: unknown[] = [];
    polymongo.onDbError((error) => reported.push(error));
    await processes.write(polymongo, 'acme');
    await waitFor(() => reported.length === 1);
    expect(reported[0]).toBeInstanceOf(TenantDuplicatesError);
    expect((reported[0] as TenantDuplicatesError).tenants).toEqual(new Map([[database, ['ACME', 'acme']]]));
    await expect(processes.write(polymongo, 'ACME')).rejects.toThrow(TenantDatabaseTakenError);
    await expect(polymongo.tenants.deprovision('acme', { confirm: 'acme' })).rejects.toThrow(TenantDatabaseTakenError);
    await polymongo.tenants.provision('initech');
    expect(await processes.count(polymongo, 'acme')).toBe(1);
    await expect(processes.add({ pattern: ANY, database: lowerCase }).tenants.provision('Globex')).rejects.toThrow(
      TenantDatabaseTakenError,
    );
  });
});

describe.each<AdapterName>(['Express', 'Fastify'])('on %s', (adapter) => {
  it('ids too long for a database, or that differ from another in case only, are answered with 400', async () => {
    processes.add();
    const app = await startHttpApp(
      {
        imports: notesModules(processes.server.uri, { resolve: fromHeader('x-tenant-id'), pattern: ANY }),
        controllers: [NotesController],
      },
      adapter,
    );
    const get = async (id: string) =>
      (await fetch(`${await app.getUrl()}/notes`, { headers: { 'x-tenant-id': id } })).status;
    expect(await get('acme')).toBe(200);
    expect(await get('ACME')).toBe(400);
    expect(await get('a'.repeat(64))).toBe(400);
    expect(await get('acme')).toBe(200);
    await app.close();
  });
});
