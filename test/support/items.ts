import mongoose from 'mongoose';
import type { PolyModel, PolyMongoWrapper } from 'nestjs-polymongo';

export interface Item {
  n: number;
  key?: string;
}

/** A model of a mongoose instance of its own, so that test files may use its name again. */
export function wrapItems(polymongo: PolyMongoWrapper, options: mongoose.SchemaOptions = {}): PolyModel<Item> {
  const fields = { n: Number, key: { type: String, unique: true, sparse: true } };
  const schema = new mongoose.Schema<Item>(fields, options as never);
  return polymongo.wrapModel(new mongoose.Mongoose().model<Item>('Item', schema));
}

export const numbered = (count: number): Item[] => Array.from({ length: count }, (_, n) => ({ n }));
