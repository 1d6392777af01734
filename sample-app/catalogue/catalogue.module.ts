import { Module } from '@nestjs/common';
import { PolyMongoModule } from 'nestjs-polymongo';
import { CatalogueController } from './catalogue.controller.js';
import { CatalogueService } from './catalogue.service.js';
import { Shop, ShopSchema } from './shop.schema.js';

@Module({
  imports: [PolyMongoModule.forFeature([{ name: Shop.name, schema: ShopSchema }])],
  controllers: [CatalogueController],
  providers: [CatalogueService],
  exports: [CatalogueService],
})
export class CatalogueModule {}
