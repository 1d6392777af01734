import { Module } from '@nestjs/common';
import { DashboardController } from './dashboard.controller.js';
import { LiveFeed } from './live.feed.js';

@Module({ controllers: [DashboardController], providers: [LiveFeed] })
export class DashboardModule {}
