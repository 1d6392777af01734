import { Injectable, type MessageEvent } from '@nestjs/common';
import { PolyMongoStats, PolyMongoWatch, type Change } from 'nestjs-polymongo';
import { map, merge, type Observable } from 'rxjs';
import type { Order } from '../orders/order.schema.js';

/** What the page shows as it happens: the pools, and every shop's orders. */
@Injectable()
export class LiveFeed {
  constructor(
    private readonly stats: PolyMongoStats,
    private readonly watch: PolyMongoWatch,
  ) {}

  /** Nest unsubscribes when the browser leaves, and with the last subscriber the change stream closes on the server. */
  events$(): Observable<MessageEvent> {
    const pools = this.stats.general$(250).pipe(map((data) => ({ type: 'stats', data })));
    const orders = this.watch
      .watch$({ pipeline: [{ $match: { 'ns.coll': 'orders' } }], fullDocument: 'updateLookup', share: true })
      .pipe(map((change) => ({ type: 'change', data: { text: describe(change) } })));
    return merge(pools, orders);
  }
}

function describe(change: Change): string {
  const { db = '' } = (change as { ns?: { db: string } }).ns ?? {};
  const order = (change as { fullDocument?: Order }).fullDocument;
  const what = order ? `${order.quantity} × ${order.item}, ${order.state}` : '';
  return `${db.replace(/^shop_/, '')}: ${change.operationType} ${what}`;
}
