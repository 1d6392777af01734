import { Injectable, NotFoundException } from '@nestjs/common';
import { InjectTenantModel, type TenantModel } from 'nestjs-polymongo';
import { Order } from './order.schema.js';

export interface OrderTotal {
  orders: number;
  pieces: number;
  revenue: number;
}

/** The orders of the shop on whose behalf the current request runs; no method here ever names it. */
@Injectable()
export class OrdersService {
  constructor(@InjectTenantModel(Order.name) private readonly orders: TenantModel<Order>) {}

  async create(order: Partial<Order>) {
    return this.orders.create(order);
  }

  list(limit = 50) {
    return this.orders.find().sort({ createdAt: -1 }).limit(limit).lean().exec();
  }

  async change(id: string, change: Partial<Order>) {
    const order = await this.orders
      .findByIdAndUpdate(id, { $set: change }, { returnDocument: 'after', runValidators: true })
      .lean();
    if (!order) throw new NotFoundException(`There is no order ${id} in this shop.`);
    return order;
  }

  async total(): Promise<OrderTotal> {
    const [total] = await this.orders.aggregate<OrderTotal>([
      { $match: { state: { $ne: 'cancelled' } } },
      {
        $group: {
          _id: null,
          orders: { $sum: 1 },
          pieces: { $sum: '$quantity' },
          revenue: { $sum: { $multiply: ['$quantity', '$price'] } },
        },
      },
      { $project: { _id: 0 } },
    ]);
    return total ?? { orders: 0, pieces: 0, revenue: 0 };
  }
}
