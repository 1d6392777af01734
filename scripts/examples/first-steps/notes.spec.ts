import { Test } from '@nestjs/testing';
import { Schema } from 'mongoose';
import { getTenantModelToken, PolyMongoModule, type TenantModel } from 'nestjs-polymongo';
import { PolyMongoTestingModule, runAsTenant } from 'nestjs-polymongo/testing';
it('finds the notes of its own tenant and of no other', async () => {
  const notesOfTenants = PolyMongoModule.forFeature([{ name: 'Note', schema: new Schema({ text: String }) }]);
  const app = await Test.createTestingModule({ imports: [PolyMongoTestingModule.forRoot(), notesOfTenants] }).compile();
  await app.init();
  const notes = app.get<TenantModel<{ text: string }>>(getTenantModelToken('Note'));
  await runAsTenant(app, 'acme', () => notes.create({ text: 'hello' }));
  expect(await runAsTenant(app, 'acme', () => notes.find().distinct('text'))).toEqual(['hello']);
  expect(await runAsTenant(app, 'globex', () => notes.find().distinct('text'))).toEqual([]);
  await app.close();
});
