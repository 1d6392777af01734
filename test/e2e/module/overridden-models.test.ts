import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Schema } from 'mongoose';
import {
  getPolyModelToken,
  getTenantModelToken,
  InjectPolyModel,
  InjectTenantModel,
  PolyMongoModule,
  TenantContext,
  type PolyModel,
  type TenantModel,
} from 'nestjs-polymongo';

interface Event {
  name: string;
}

@Injectable()
class Events {
  constructor(
    @InjectPolyModel('Event') readonly model: PolyModel<Event>,
    @InjectTenantModel('Event') readonly mine: TenantModel<Event>,
    @InjectPolyModel('Click') readonly clicks: PolyModel<Event>,
    @InjectTenantModel('Click') readonly myClicks: TenantModel<Event>,
  ) {}
}

const MODELS = {
  model: getPolyModelToken('Event'),
  mine: getTenantModelToken('Event'),
  clicks: getPolyModelToken('Click'),
  myClicks: getTenantModelToken('Click'),
};
let app: INestApplication | undefined;
afterEach(() => app?.close());

describe('in a test of an application', () => {
  it.each(Object.keys(MODELS) as (keyof typeof MODELS)[])(
    '%s is replaced by a mock, and the others are as they were',
    async (name) => {
      const mock = { find: () => ['mocked'] };
      const kind = { name: 'Click', schema: new Schema<Event>() };
      const module = await Test.createTestingModule({
        imports: [
          PolyMongoModule.forRoot({ mongoURI: 'mongodb://127.0.0.1:1' }),
          PolyMongoModule.forFeature([
            { name: 'Event', schema: new Schema<Event>({ name: String }), discriminators: [kind] },
          ]),
        ],
        providers: [Events],
      })
        .overrideProvider(MODELS[name])
        .useValue(mock)
        .compile();
      app = module.createNestApplication();
      await app.init();
      const events = app.get(Events);
      expect(events[name]).toBe(mock);
      const real = Object.entries(events).filter(([key]) => key !== name);
      expect(real.map(([, model]) => (model as PolyModel<Event>).modelName)).toEqual(
        Object.keys(MODELS)
          .filter((key) => key !== name)
          .map((key) => (/clicks/i.test(key) ? 'Click' : 'Event')),
      );
      app.get(TenantContext).run('acme', () => {
        for (const [key, model] of real) {
          const { db } = model as TenantModel<Event>;
          expect(db.name).toBe(/^my|mine/.test(key) ? 'tenant_acme' : 'default');
        }
      });
    },
  );
});
