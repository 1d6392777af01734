import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Module, type DynamicModule } from '@nestjs/common';
import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { LazyModuleLoader } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { Schema as MongooseSchema } from 'mongoose';
import {
  DuplicateRootError,
  getPolyModelToken,
  getTenantModelToken,
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

describe('tokens', () => {
  it('of models whose names contain those of others never collide', async () => {
    const names = ['User', 'UserRequest', 'UserTenantModel', 'Request', 'UserPoly', 'Tenant', 'TenantModel:User'];
    const module = await Test.createTestingModule({
      imports: [
        PolyMongoModule.forRoot({ mongoURI: server.uri, defaultDB: uniqueName('tokens') }),
        PolyMongoModule.forFeature(names.map((name) => ({ name, schema: new MongooseSchema({ of: String }) }))),
      ],
    }).compile();
    const context = module.get(TenantContext);
    for (const name of names) {
      expect(module.get<PolyModel<unknown>>(getPolyModelToken(name)).modelName).toBe(name);
      expect(module.get<PolyModel<unknown>>(getTenantModelToken(name)).modelName).toBe(name);
      const token = getTenantModelToken(name, 'request');
      const model = await context.run('acme', () => module.resolve<PolyModel<unknown>>(token));
      expect(model.modelName).toBe(name);
    }
    const tokens = names.flatMap((name) => [
      getPolyModelToken(name),
      getTenantModelToken(name),
      getTenantModelToken(name, 'request'),
    ]);
    expect(new Set(tokens).size).toBe(3 * names.length);
    await module.close();
  });
});

describe('forRoot', () => {
  const root = () => PolyMongoModule.forRoot({ mongoURI: server.uri, defaultDB: uniqueName('root') });

  it('twice is refused, before anything connects', async () => {
    @Module({ imports: [root()] })
    class OtherModule {}
    await expect(Test.createTestingModule({ imports: [root(), OtherModule] }).compile()).rejects.toThrow(
      DuplicateRootError,
    );
    const same = { mongoURI: server.uri };
    const twice = [PolyMongoModule.forRoot(same), PolyMongoModule.forRootAsync({ useFactory: () => same })];
    await expect(Test.createTestingModule({ imports: twice }).compile()).rejects.toThrow(/imported 2 times/);
  });

  it('is refused in a module that is loaded lazily into an application that has one', async () => {
    @Module({ imports: [root()] })
    class LazyModule {}
    const module = await Test.createTestingModule({ imports: [root()] }).compile();
    await expect(module.get(LazyModuleLoader).load(() => LazyModule)).rejects.toThrow(DuplicateRootError);
    await module.close();
  });

  it('once may be imported in several modules, and in several applications', async () => {
    const one = root();
    @Module({ imports: [one] })
    class FirstModule {}
    @Module({ imports: [one] })
    class SecondModule {}
    const applications = [
      await Test.createTestingModule({ imports: [FirstModule, SecondModule] }).compile(),
      await Test.createTestingModule({ imports: [one] }).compile(),
    ];
    const wrappers = applications.map((application) => application.get(PolyMongoWrapper));
    expect(wrappers[0]).not.toBe(wrappers[1]);
    await Promise.all(applications.map((application) => application.close()));
  });
});

describe('discriminators of a definition', () => {
  const kinds = { discriminators: [{ name: 'Lion', schema: new MongooseSchema({ roars: Boolean }), value: 'lion' }] };
  it.each<[string, DynamicModule]>([
    ['forFeature', PolyMongoModule.forFeature([{ name: Cat.name, schema: CatSchema, ...kinds }])],
    [
      'forFeatureAsync',
      PolyMongoModule.forFeatureAsync([{ name: Cat.name, useFactory: async () => CatSchema, ...kinds }]),
    ],
  ])('are injected by their names, of %s', async (_, feature) => {
    const module = await Test.createTestingModule({
      imports: [PolyMongoModule.forRoot({ mongoURI: server.uri, defaultDB: uniqueName('kinds') }), feature],
    }).compile();
    await module.init();
    const lions = module.get<PolyModel<Cat & { roars: boolean }>>(getPolyModelToken('Lion'));
    await module.get<PolyModel<Cat>>(getPolyModelToken(Cat.name)).create({ name: 'Tom' });
    await lions.create({ name: 'Leo', roars: true });
    expect(await lions.find().lean()).toMatchObject([{ name: 'Leo', roars: true, __t: 'lion' }]);
    const ofTenant = module.get<PolyModel<unknown>>(getTenantModelToken('Lion'));
    await module.get(TenantContext).run('acme', async () => {
      const ofRequest = await module.resolve<PolyModel<unknown>>(getTenantModelToken('Lion', 'request'));
      expect([ofTenant.modelName, ofRequest.modelName]).toEqual(['Lion', 'Lion']);
    });
    await lions.db.dropDatabase();
    await module.close();
  });
});

describe('forFeatureAsync', () => {
  it('takes schemas from factories with dependencies, in several feature modules on one registry', async () => {
    const mongoURI = server.uri;
    const HOUSE = new MongooseSchema({ cats: [{ type: 'ObjectId', ref: Cat.name }] });
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
