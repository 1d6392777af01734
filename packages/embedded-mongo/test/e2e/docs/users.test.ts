import { expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { EmbeddedMongo } from 'embedded-mongo';

const { MongoClient } = mongoose.mongo;

// #region users
it('asks for a password', async () => {
  const mongo = await EmbeddedMongo.start({ users: [{ username: 'app', password: 'secret' }] });
  const as = (password: string) => new MongoClient(mongo.uri, { auth: { username: 'app', password } });

  const client = await as('secret').connect();
  await client.db('shop').command({ ping: 1 });
  await client.close();

  const intruder = as('guessed');
  await expect(intruder.connect()).rejects.toMatchObject({ code: 18, codeName: 'AuthenticationFailed' });
  await intruder.close();
  await mongo.stop();
});
// #endregion
