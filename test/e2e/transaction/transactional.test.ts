import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, Scope, SetMetadata, type INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Schema } from 'mongoose';
import {
  InjectPolyModel,
  PolyMongoError,
  PolyMongoModule,
  PolyMongoTransactions,
  Transactional,
  type PolyModel,
} from 'nestjs-polymongo';
import { startTestServer, type TestServer } from '../../support/test-server.js';

interface Item {
  name: string;
}

@Injectable()
class Orders {
  @InjectPolyModel('Item') readonly items!: PolyModel<Item>;

  @Transactional()
  @SetMetadata('kept', true)
  async place(names: string[]): Promise<number> {
    for (const name of names) await this.items.create({ name });
    if (names.includes('bad')) throw new Error('bad');
    return this.items.countDocuments();
  }
}

@Injectable({ scope: Scope.TRANSIENT })
class TransientOrders extends Orders {}

describe('@Transactional', () => {
  let server: TestServer;
  let app: INestApplicationContext;

  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    app = await Test.createTestingModule({
      imports: [
        PolyMongoModule.forRoot({ mongoURI: server.uri, defaultDB: `transactional_${process.pid}_${Date.now()}` }),
        PolyMongoModule.forFeature([{ name: 'Item', schema: new Schema<Item>({ name: String }) }]),
      ],
      providers: [Orders, TransientOrders],
    }).compile();
    await app.init();
  });
  afterEach(() => app.close());

  it.each([
    ['a singleton', () => app.get(Orders)],
    ['an inherited method of a transient provider', () => app.resolve(TransientOrders)],
  ])('commits when the method of %s resolves and aborts when it throws', async (_, find) => {
    const orders = await find();
    expect(await orders.place(['a', 'b'])).toBe(2);
    await expect(orders.place(['c', 'bad'])).rejects.toThrow('bad');
    expect(await orders.items.countDocuments()).toBe(2);
  });

  it('joins the transaction around', async () => {
    const orders = app.get(Orders);
    const transactions = app.get(PolyMongoTransactions);
    await expect(
      transactions.run(async () => {
        await orders.place(['a']);
        throw new Error('outer');
      }),
    ).rejects.toThrow('outer');
    expect(await orders.items.countDocuments()).toBe(0);
  });

  it("keeps the method's name and metadata", () => {
    const { place } = Orders.prototype;
    expect(place.name).toBe('place');
    expect(Reflect.getMetadata('kept', place)).toBe(true);
  });

  it('says what is missing on an instance that Nest did not make', async () => {
    await expect(new Orders().place([])).rejects.toThrow(PolyMongoError);
  });
});
