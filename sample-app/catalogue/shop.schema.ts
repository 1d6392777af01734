import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';

/** One shop of the desk; all of them are in the shared catalogue. */
@Schema({ versionKey: false })
export class Shop {
  /** The tenant id. */
  @Prop({ required: true, unique: true })
  id!: string;

  @Prop({ required: true })
  name!: string;

  @Prop({ type: [{ item: String, price: Number, _id: false }] })
  offers!: { item: string; price: number }[];
}

export const ShopSchema = SchemaFactory.createForClass(Shop);
