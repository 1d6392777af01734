import { Injectable, type MessageEvent } from '@nestjs/common';
import { PolyMongoStats } from 'nestjs-polymongo';
import { map, type Observable } from 'rxjs';

/** What the page shows as it happens. */
@Injectable()
export class LiveFeed {
  constructor(private readonly stats: PolyMongoStats) {}

  events$(): Observable<MessageEvent> {
    return this.stats.general$(250).pipe(map((data) => ({ type: 'stats', data })));
  }
}
