import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { InjectTenantModel, PolyMongoModule, type TenantModel } from 'nestjs-polymongo';
import { expectFixtures, loadFixtures, PolyMongoTestingModule, runAsTenant } from 'nestjs-polymongo/testing';
import { User, UserSchema } from './first-steps.js';

@Injectable()
class Users {
  constructor(@InjectTenantModel(User.name) private readonly users: TenantModel<User>) {}
  add(email: string) {
    return this.users.create({ email });
  }
}

export async function tested() {
  // #region testing
  const app = await Test.createTestingModule({
    imports: [PolyMongoTestingModule.forRoot(), PolyMongoModule.forFeature([{ name: User.name, schema: UserSchema }])],
    providers: [Users],
  }).compile();
  await app.init(); // with a MongoDB in the process, and databases that no other test has
  await loadFixtures(app, { User: [{ email: 'ada@example.com' }] }, { tenant: 'acme' });
  await runAsTenant(app, 'acme', () => app.get(Users).add('bob@example.com'));
  await expectFixtures(app, { User: [{ email: 'ada@example.com' }, { email: 'bob@example.com' }] }, { tenant: 'acme' });
  await expectFixtures(app, { User: [] }, { tenant: 'globex' });
  await app.close(); // the MongoDB stops, too
  // #endregion
}
