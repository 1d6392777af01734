import { Controller, Get, Post, Query, type DynamicModule, type INestApplication, type Type } from '@nestjs/common';
import mongoose from 'mongoose';
import {
  fromHeader,
  InjectPolyModel,
  InjectTenantModel,
  PolyMongoModule,
  type PolyModel,
  type PolyMongoOptions,
  type TenantModel,
} from 'nestjs-polymongo';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { startHttpApp } from '../../support/http-app.js';

interface Note {
  n: number;
}

@Controller('notes')
class Notes {
  constructor(
    @InjectTenantModel('Note') private readonly mine: TenantModel<Note>,
    @InjectPolyModel('Note') private readonly notes: PolyModel<Note>,
  ) {}

  @Get()
  list() {
    return this.mine.find().lean();
  }
  @Get('main')
  main() {
    return this.notes.countDocuments();
  }
  @Post()
  add(@Query('n') n: string) {
    return this.mine.create({ n: Number(n) });
  }
}

/** An application with a model of the tenant in the header, and what measures it. */
export async function startNotes(
  options: PolyMongoOptions,
  ...imports: (DynamicModule | Type)[]
): Promise<INestApplication<App>> {
  const tenant = { resolve: fromHeader('x-tenant-id') };
  const schema = new mongoose.Schema<Note>({ n: { type: Number, unique: true } });
  return startHttpApp({
    imports: [
      PolyMongoModule.forRoot({ ...options, tenant }),
      PolyMongoModule.forFeature([{ name: 'Note', schema }]),
      ...imports,
    ],
    controllers: [Notes],
  });
}

export const addNote = (app: INestApplication<App>, tenant: string, n: number | string) =>
  request(app.getHttpServer()).post(`/notes?n=${n}`).set('x-tenant-id', tenant);
export const listNotes = (app: INestApplication<App>, tenant: string) =>
  request(app.getHttpServer()).get('/notes').set('x-tenant-id', tenant).expect(200);
