// #region with Nest
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { Test, type TestingModule } from '@nestjs/testing';
import { getPolyModelToken, PolyMongoModule, type PolyModel } from 'nestjs-polymongo';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';

@Schema()
class Invoice {
  @Prop({ required: true })
  total!: number;
}

let mongo: EmbeddedMongo;
let app: TestingModule;

beforeAll(async () => {
  mongo = await EmbeddedMongo.start();
  app = await Test.createTestingModule({
    imports: [
      PolyMongoModule.forRoot({ mongoURI: mongo.uri }),
      PolyMongoModule.forFeature([{ name: Invoice.name, schema: SchemaFactory.createForClass(Invoice) }]),
    ],
  }).compile();
  await app.init();
});

afterAll(async () => {
  await app.close(); // first the clients, then the server
  await mongo.stop();
});

it('keeps the invoices of two customers apart', async () => {
  const invoices = app.get<PolyModel<Invoice>>(getPolyModelToken(Invoice.name));
  await invoices.db('acme').create({ total: 12 });
  expect(await invoices.db('acme').countDocuments()).toBe(1);
  expect(await invoices.db('globex').countDocuments()).toBe(0);
});
// #endregion
