import { describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import type { EmbeddedMongo } from 'embedded-mongo';
import { useOwnServer } from '../support/connected.js';

describe('users of the embedded server', () => {
  let server: EmbeddedMongo;
  let client: mongoose.mongo.MongoClient;
  let db: mongoose.mongo.Db;

  useOwnServer((connected, started) => {
    client = connected;
    server = started;
    db = client.db('users');
  });

  const usersOf = async (command: mongoose.mongo.Document): Promise<mongoose.mongo.Document[]> =>
    (await db.command(command)).users as mongoose.mongo.Document[];

  it('are shown by name, with their credentials only when asked', async () => {
    await db.command({ createUser: 'bo', pwd: 'b', roles: ['read'], mechanisms: ['SCRAM-SHA-256'] });
    await db.command({ createUser: 'al', pwd: 'a', roles: [], customData: { team: 1 } });
    const [al, bo] = await usersOf({ usersInfo: 1 });
    expect(al).toMatchObject({
      _id: 'users.al',
      customData: { team: 1 },
      mechanisms: ['SCRAM-SHA-1', 'SCRAM-SHA-256'],
    });
    expect(al!.userId).toMatchObject({ sub_type: 4 });
    expect(bo).toMatchObject({ user: 'bo', roles: [{ role: 'read', db: 'users' }] });
    expect(bo).not.toHaveProperty('credentials');
    const [shown] = await usersOf({ usersInfo: 'bo', showCredentials: true, filter: { user: 'bo' } });
    expect(Object.keys(shown!.credentials as object)).toEqual(['SCRAM-SHA-256']);
    expect(shown!.credentials['SCRAM-SHA-256']).toMatchObject({ iterationCount: 15_000 });
    expect(shown!.userId.toString()).toBe(bo!.userId.toString());
  });

  it('gain and lose roles', async () => {
    await db.command({ createUser: 'cy', pwd: 'c', roles: ['read'] });
    await db.command({ grantRolesToUser: 'cy', roles: ['read', 'dbAdmin'] });
    await db.command({ revokeRolesFromUser: 'cy', roles: ['read'] });
    expect(await usersOf({ usersInfo: 'cy' })).toMatchObject([{ roles: [{ role: 'dbAdmin', db: 'users' }] }]);
  });

  it('log in by the mechanisms they have', async () => {
    await db.command({ createUser: 'di', pwd: 'd', roles: [], mechanisms: ['SCRAM-SHA-256'] });
    const asDi = (authMechanism: 'SCRAM-SHA-1' | 'SCRAM-SHA-256') =>
      new mongoose.mongo.MongoClient(server.uri, {
        auth: { username: 'di', password: 'd' },
        authSource: 'users',
        authMechanism,
      });
    const refused = asDi('SCRAM-SHA-1');
    await expect(refused.connect()).rejects.toMatchObject({ code: 334, codeName: 'MechanismUnavailable' });
    await refused.close();
    const welcome = await asDi('SCRAM-SHA-256').connect();
    await welcome.close();
  });

  it.each([
    [{ createUser: '', pwd: 'x', roles: [] }, 2],
    [{ createUser: 'x', pwd: '', roles: [] }, 50687],
    [{ createUser: 'x', pwd: 'a\0b', roles: [] }, 50692],
    [{ updateUser: 'bo' }, 2],
    [{ updateUser: 'nobody', pwd: 'x' }, 11],
    [{ dropUser: 'nobody' }, 11],
    [{ updateRole: 'nobody' }, 2],
    [{ updateRole: 'nobody', roles: [] }, 31],
    [{ grantRolesToUser: 'nobody', roles: ['read'] }, 11],
    [{ grantRolesToUser: 'nobody', roles: [] }, 2],
    [{ revokeRolesFromUser: 'bo', roles: [] }, 2],
    [{ usersInfo: true }, 2],
    [{ usersInfo: { user: 'bo' } }, 2],
    [{ usersInfo: { user: 'bo', db: 'users', more: 1 } }, 2],
  ])('%j is refused', async (command, code) => {
    await expect(db.command(command)).rejects.toMatchObject({ code });
  });

  it('are dropped together, those of one database', async () => {
    await client.db('others').command({ createUser: 'ed', pwd: 'e', roles: [] });
    expect(await db.command({ dropAllUsersFromDatabase: 1 })).toMatchObject({ n: 4 });
    expect(await usersOf({ usersInfo: 1 })).toEqual([]);
    expect(await usersOf({ usersInfo: { forAllDBs: true } })).toMatchObject([{ _id: 'others.ed' }]);
  });

  it('have parameters shown in detail', async () => {
    const detailed = { getParameter: { showDetails: true }, quiet: 1 };
    expect(await client.db('admin').command(detailed)).toMatchObject({
      quiet: { value: false, settableAtRuntime: true, settableAtStartup: true },
    });
  });
});
