import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Module, type DynamicModule } from '@nestjs/common';
import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { Test } from '@nestjs/testing';
import {
  getPolyModelToken,
  InjectPolyModel,
  PolyMongoHooks,
  PolyMongoModule,
  PolyMongoOptionsError,
  PolyMongoPools,
  PolyMongoStats,
  PolyMongoWrapper,
  TenantContext,
  type PolyModel,
  type PolyMongoOptions,
  type PolyMongoOptionsFactory,
} from 'nestjs-polymongo';
import { uniqueName } from '../../support/database-names.js';
import { startTestServer, type TestServer } from '../../support/test-server.js';

@Schema()
class Cat {
  @Prop({ required: true })
  name!: string;
}
const CatSchema = SchemaFactory.createForClass(Cat);

@Injectable()
class Cats {
  constructor(@InjectPolyModel(Cat.name) readonly model: PolyModel<Cat>) {}
}

const SETTINGS = Symbol('settings');
let server: TestServer;
let options: PolyMongoOptions;

@Injectable()
class OptionsFactory implements PolyMongoOptionsFactory {
  createPolyMongoOptions(): PolyMongoOptions {
    return options;
  }
}

@Injectable()
class AsyncOptionsFactory implements PolyMongoOptionsFactory {
  constructor(@Inject(SETTINGS) private readonly settings: { read(): Promise<PolyMongoOptions> }) {}

  createPolyMongoOptions(): Promise<PolyMongoOptions> {
    return this.settings.read();
  }
}

@Module({
  providers: [OptionsFactory, { provide: SETTINGS, useValue: { read: async () => options } }],
  exports: [OptionsFactory, SETTINGS],
})
class SettingsModule {}

const WAYS: [string, () => DynamicModule][] = [
  ['forRoot', () => PolyMongoModule.forRoot(options)],
  ['forRootAsync with useFactory', () => PolyMongoModule.forRootAsync({ useFactory: () => options })],
  [
    'forRootAsync with imports and inject',
    () =>
      PolyMongoModule.forRootAsync({
        imports: [SettingsModule],
        inject: [SETTINGS],
        useFactory: (settings: { read(): Promise<PolyMongoOptions> }) => settings.read(),
      }),
  ],
  [
    'forRootAsync with useClass',
    () => PolyMongoModule.forRootAsync({ imports: [SettingsModule], useClass: AsyncOptionsFactory }),
  ],
  [
    'forRootAsync with useExisting',
    () => PolyMongoModule.forRootAsync({ imports: [SettingsModule], useExisting: OptionsFactory }),
  ],
];

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

describe.each(WAYS)('%s', (_, root) => {
  it('injects models that read and write on their database, and every part on its own', async () => {
    options = { mongoURI: server.uri, defaultDB: uniqueName('registration') };
    const feature = PolyMongoModule.forFeature([{ name: Cat.name, schema: CatSchema }]);
    const module = await Test.createTestingModule({ imports: [root(), feature], providers: [Cats] }).compile();
    await module.init();

    const { model } = module.get(Cats);
    await model.create({ name: 'Tom' });
    expect(await model.findOne().lean()).toMatchObject({ name: 'Tom' });
    expect(module.get(getPolyModelToken(Cat.name))).toBe(model);
    const wrapper = module.get(PolyMongoWrapper);
    expect(module.get(PolyMongoPools)).toBe(wrapper.pools);
    expect(module.get(PolyMongoHooks)).toBe(wrapper.hooks);
    expect(module.get(PolyMongoStats)).toBe(wrapper.stats);
    expect(module.get(TenantContext)).toBe(wrapper.tenantContext);

    await model.db.dropDatabase();
    await module.close();
    expect(wrapper.isShuttingDown).toBe(true);
  });

  it('stops the start with the error of a wrong option', async () => {
    options = { mongoURI: '' };
    const starting = Test.createTestingModule({ imports: [root()] }).compile();
    await expect(starting).rejects.toThrow(PolyMongoOptionsError);
    await expect(starting).rejects.toThrow(/mongoURI is required/);
  });
});

describe('forFeatureAsync', () => {
  it('takes schemas from factories with dependencies, in several feature modules on one registry', async () => {
    const mongoURI = server.uri;
    const HOUSE = new (await import('mongoose')).Schema({ cats: [{ type: 'ObjectId', ref: Cat.name }] });
    const module = await Test.createTestingModule({
      imports: [
        PolyMongoModule.forRoot({ mongoURI, defaultDB: uniqueName('async') }),
        PolyMongoModule.forFeatureAsync([
          { name: Cat.name, imports: [SettingsModule], inject: [SETTINGS], useFactory: async () => CatSchema },
        ]),
        PolyMongoModule.forFeature([{ name: 'House', schema: HOUSE }]),
      ],
    }).compile();
    const cats = module.get<PolyModel<Cat>>(getPolyModelToken(Cat.name));
    const houses = module.get<PolyModel<{ cats: unknown[] }>>(getPolyModelToken('House'));
    const tom = await cats.create({ name: 'Tom' });
    await houses.create({ cats: [tom._id] });
    const house = await houses.findOne().populate<{ cats: Cat[] }>('cats').orFail();
    expect(house.cats[0]!.name).toBe('Tom');
    await cats.db.dropDatabase();
    await module.close();
  });
});
