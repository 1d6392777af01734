import { Controller, Get, Header, Sse, type MessageEvent } from '@nestjs/common';
import { PolyMongoStats, type ConnectionStats } from 'nestjs-polymongo';
import type { Observable } from 'rxjs';
import { DASHBOARD_PAGE } from './dashboard.page.js';
import { LiveFeed } from './live.feed.js';

/** The live page and what feeds it; needs no tenant. */
@Controller()
export class DashboardController {
  constructor(
    private readonly feed: LiveFeed,
    private readonly statistics: PolyMongoStats,
  ) {}

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  page(): string {
    return DASHBOARD_PAGE;
  }

  @Sse('events')
  events(): Observable<MessageEvent> {
    return this.feed.events$();
  }

  @Get('stats')
  stats(): ConnectionStats {
    return this.statistics.general();
  }
}
