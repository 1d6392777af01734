import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { EmbeddedMongo } from 'embedded-mongo';

const { MongoClient } = mongoose.mongo;

describe('EmbeddedMongo with users', () => {
  let mongo: EmbeddedMongo;

  beforeAll(async () => {
    mongo = await EmbeddedMongo.start({ users: [{ username: 'ann', password: 'sésame' }] });
  });

  afterAll(() => mongo.stop());

  const ping = async (
    auth?: { username: string; password: string },
    authMechanism?: mongoose.mongo.AuthMechanism,
    authSource?: string,
  ) => {
    const client = new MongoClient(mongo.uri, { auth, authMechanism, authSource });
    try {
      return await (await client.connect()).db('shop').collection('docs').findOne({});
    } finally {
      await client.close();
    }
  };

  it('lets in who knows the password', async () => {
    await expect(ping({ username: 'ann', password: 'sésame' })).resolves.toBeNull();
  });

  it.each(['SCRAM-SHA-1', 'SCRAM-SHA-256'] as const)('lets them in by %s', async (mechanism) => {
    const ann = { username: 'ann', password: 'sésame' };
    await expect(ping(ann, mechanism)).resolves.toBeNull();
    await expect(ping({ ...ann, password: 'wrong' }, mechanism)).rejects.toMatchObject({ code: 18 });
  });

  it('lets a user in by the mechanisms that createUser named, and lists them', async () => {
    const client = new MongoClient(mongo.uri, { auth: { username: 'ann', password: 'sésame' } });
    const db = client.db('shop');
    await db.command({ createUser: 'old', pwd: 'x', roles: ['read'], mechanisms: ['SCRAM-SHA-1'] });
    expect(await db.command({ usersInfo: 'old' })).toMatchObject({ users: [{ mechanisms: ['SCRAM-SHA-1'] }] });
    await client.close();
    const old = { username: 'old', password: 'x' };
    await expect(ping(old, undefined, 'shop')).resolves.toBeNull();
    await expect(ping(old, 'SCRAM-SHA-256', 'shop')).rejects.toMatchObject({ code: 334 });
  });

  it.each([
    ['a wrong password', { username: 'ann', password: 'wrong' }],
    ['an unknown user', { username: 'bob', password: 'sésame' }],
  ])('refuses %s with AuthenticationFailed', async (_what, auth) => {
    await expect(ping(auth)).rejects.toMatchObject({
      code: 18,
      message: expect.stringMatching(/Authentication failed/),
    });
  });

  it('refuses commands without authentication', async () => {
    await expect(ping()).rejects.toMatchObject({ code: 13, message: 'Command find requires authentication' });
  });
});
