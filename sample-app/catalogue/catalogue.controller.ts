import { Controller, Get } from '@nestjs/common';
import { CatalogueService } from './catalogue.service.js';
import type { Shop } from './shop.schema.js';

@Controller('catalogue')
export class CatalogueController {
  constructor(private readonly catalogue: CatalogueService) {}

  /** All shops and what they sell; needs no tenant. */
  @Get()
  list(): Promise<Shop[]> {
    return this.catalogue.list();
  }
}
