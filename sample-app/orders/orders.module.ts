import { Module } from '@nestjs/common';
import { PolyMongoModule } from 'nestjs-polymongo';
import { Order, OrderSchema } from './order.schema.js';
import { OrdersController } from './orders.controller.js';
import { OrdersService } from './orders.service.js';

@Module({
  imports: [PolyMongoModule.forFeature([{ name: Order.name, schema: OrderSchema }])],
  controllers: [OrdersController],
  providers: [OrdersService],
  exports: [PolyMongoModule],
})
export class OrdersModule {}
