import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectPolyModel, type PolyModel } from 'nestjs-polymongo';
import { SHOPS } from './shops.js';
import { Shop } from './shop.schema.js';

@Injectable()
export class CatalogueService implements OnApplicationBootstrap {
  constructor(@InjectPolyModel(Shop.name) private readonly shops: PolyModel<Shop>) {}

  /** Fills an empty catalogue, so that there is something to order. */
  async onApplicationBootstrap(): Promise<void> {
    await this.shops.bulkWrite(
      SHOPS.map((shop) => ({ updateOne: { filter: { id: shop.id }, update: { $setOnInsert: shop }, upsert: true } })),
    );
  }

  list(): Promise<Shop[]> {
    return this.shops.find({}, { _id: 0 }).sort({ id: 1 }).lean().exec();
  }
}
