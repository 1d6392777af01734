import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';

const ORDER_STATES = ['open', 'packed', 'sent', 'cancelled'] as const;
export type OrderState = (typeof ORDER_STATES)[number];

/** One order of one shop, in that shop's own database. */
@Schema({ timestamps: true, versionKey: false })
export class Order {
  @Prop({ required: true, trim: true, maxlength: 200 })
  item!: string;

  @Prop({ required: true, min: 1, max: 10_000 })
  quantity!: number;

  /** Of one piece. */
  @Prop({ required: true, min: 0 })
  price!: number;

  @Prop({ type: String, enum: ORDER_STATES, default: 'open' })
  state!: OrderState;
}

export const OrderSchema = SchemaFactory.createForClass(Order);
OrderSchema.index({ createdAt: -1 });
