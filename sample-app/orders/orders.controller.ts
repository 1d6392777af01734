import { Body, Controller, Get, Param, Patch, Post, UseFilters } from '@nestjs/common';
import type { Order } from './order.schema.js';
import { OrdersService } from './orders.service.js';
import { ValidationFilter } from './validation.filter.js';

@Controller('orders')
@UseFilters(ValidationFilter)
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Post()
  create(@Body() { item, quantity, price }: Partial<Order> = {}) {
    return this.orders.create({ item, quantity, price });
  }

  @Get()
  list() {
    return this.orders.list();
  }

  @Get('total')
  total() {
    return this.orders.total();
  }

  @Patch(':id')
  change(@Param('id') id: string, @Body() { quantity, state }: Partial<Order> = {}) {
    return this.orders.change(id, {
      ...(quantity !== undefined && { quantity }),
      ...(state !== undefined && { state }),
    });
  }
}
