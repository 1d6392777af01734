import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';

const { MongoClient } = mongoose.mongo;

describe('EmbeddedMongo with users', () => {
  let mongo: EmbeddedMongo;

  beforeAll(async () => {
    mongo = await EmbeddedMongo.start({ users: [{ username: 'ann', password: 'sésame' }] });
  });

  afterAll(() => mongo.stop());

  const ping = async (auth?: { username: string; password: string }) => {
    const client = new MongoClient(mongo.uri, { auth });
    try {
      return await (await client.connect()).db('shop').collection('docs').findOne({});
    } finally {
      await client.close();
    }
  };

  it('lets in who knows the password', async () => {
    await expect(ping({ username: 'ann', password: 'sésame' })).resolves.toBeNull();
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
