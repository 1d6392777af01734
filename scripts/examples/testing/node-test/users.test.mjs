import 'reflect-metadata';
import { afterEach, beforeEach, test } from 'node:test';
import { Test } from '@nestjs/testing';
import { Schema } from 'mongoose';
import { getPolyModelToken, PolyMongoModule } from 'nestjs-polymongo';
import { expectFixtures, loadFixtures, PolyMongoTestingModule, runAsTenant } from 'nestjs-polymongo/testing';

const UserSchema = new Schema({ email: String });
let app;
beforeEach(async () => {
  const feature = PolyMongoModule.forFeature([{ name: 'User', schema: UserSchema }]);
  app = await Test.createTestingModule({ imports: [PolyMongoTestingModule.forRoot(), feature] }).compile();
  await app.init();
});
afterEach(() => app.close());

test('keeps users by tenant', async () => {
  const users = app.get(getPolyModelToken('User'));
  await loadFixtures(app, { User: [{ email: 'ada@example.com' }] }, { tenant: 'acme' });
  await runAsTenant(app, 'acme', () => users.tenant().create({ email: 'bob@example.com' }));
  await expectFixtures(app, { User: [{ email: 'ada@example.com' }, { email: 'bob@example.com' }] }, { tenant: 'acme' });
  await expectFixtures(app, { User: [] }, { tenant: 'globex' });
});

test('begins with databases of its own', async () => {
  await expectFixtures(app, { User: [] }, { tenant: 'acme' });
});
