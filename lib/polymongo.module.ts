import { Module, Scope, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import { PolyMongoCoreModule } from './polymongo-core.module.js';
import { checks } from './polymongo.checks.js';
import type {
  AsyncModelDefinition,
  MongooseToken,
  PolyMongoModuleAsyncOptions,
  PolyMongoModuleOptions,
} from './polymongo.module-options.js';
import { getBlueprintToken, getPolyModelToken, getTenantModelToken, MONGOOSE_TOKENS } from './polymongo.tokens.js';
import { checkDefinitions, checkMadeSchema } from './polymongo.definition-checks.js';
import { PolyMongoWrapper } from './polymongo.wrapper.js';
import type { ModelDefinition } from './providers/models/model.registry.js';

/**
 * Many MongoDB databases in one Nest application.
 *
 * @example
 * @Module({ imports: [PolyMongoModule.forRoot({ mongoURI }), PolyMongoModule.forFeature([{ name: User.name, schema }])] })
 */
@Module({})
export class PolyMongoModule {
  /**
   * Registers the pools and everything on them, once per application. The options are checked when it starts.
   * @throws PolyMongoOptionsError, DuplicateRootError when the application starts
   */
  static forRoot(options: PolyMongoModuleOptions): DynamicModule {
    if (!checks.object.accepts(options)) return PolyMongoModule.forRootAsync({ useFactory: () => options }); // which says so
    const { mongooseTokens, ...given } = options;
    return PolyMongoModule.forRootAsync({
      useFactory: () => given,
      ...(mongooseTokens !== undefined && { mongooseTokens }),
    });
  }

  /**
   * As {@link forRoot}, with options that a factory or class makes.
   * @throws PolyMongoOptionsError at once, for what is given here
   */
  static forRootAsync(options: PolyMongoModuleAsyncOptions): DynamicModule {
    return { module: PolyMongoModule, imports: [PolyMongoCoreModule.forRootAsync(options)] };
  }

  /**
   * Registers models and their discriminators, for `@InjectPolyModel` and `@InjectTenantModel` in the importing module.
   * @throws PolyMongoOptionsError that names the definition and what is wrong in it
   */
  static forFeature(definitions: readonly (ModelDefinition & MongooseToken)[]): DynamicModule {
    checkDefinitions(definitions, 'schema');
    return PolyMongoModule.forFeatureAsync(
      definitions.map(({ schema, ...definition }) => ({ ...definition, useFactory: () => schema })),
    );
  }

  /** As {@link forFeature}, with schemas that factories make. @throws PolyMongoOptionsError as there */
  static forFeatureAsync(definitions: readonly AsyncModelDefinition[]): DynamicModule {
    checkDefinitions(definitions, 'useFactory');
    const providers = definitions.flatMap(modelProviders);
    return {
      module: PolyMongoModule,
      imports: definitions.flatMap(({ imports = [] }) => imports),
      providers,
      exports: providers.map(({ provide }) => provide),
    };
  }
}

function modelProviders({
  useFactory,
  inject = [],
  imports: _,
  ...definition
}: AsyncModelDefinition): FactoryProvider[] {
  const { name, discriminators = [], mongooseToken } = definition;
  const defined = getBlueprintToken(name);
  return [
    {
      provide: defined,
      inject: [PolyMongoWrapper, ...inject],
      useFactory: async (wrapper: PolyMongoWrapper, ...dependencies: unknown[]) => {
        const schema = await useFactory(...dependencies);
        checkMadeSchema(name, schema);
        return wrapper.models.define({ ...definition, schema });
      },
    },
    ...injectedProviders(name, defined),
    ...discriminators.flatMap((kind) => injectedProviders(kind.name, defined)), // defined with it
    ...(mongooseToken
      ? [name, ...discriminators.map((kind) => kind.name)].map((each) => byMongooseToken(each, mongooseToken, defined))
      : []),
  ];
}

/** The same by @nestjs/mongoose's token: for libraries, to which `model.db` is a connection and no function. */
const byMongooseToken = (name: string, which: 'default' | 'tenant', defined: symbol): FactoryProvider => ({
  provide: MONGOOSE_TOKENS.model(name),
  inject: [PolyMongoWrapper, defined],
  useFactory: (wrapper: PolyMongoWrapper) => {
    const blueprint = wrapper.models.blueprint(name);
    return which === 'tenant'
      ? wrapper.tenantModel(blueprint)
      : wrapper.wrapModel(blueprint).db(wrapper.options.defaultDB);
  },
});

/** What is injected of a model. Each is made of the compiled one, so that a test can replace one of them alone. */
function injectedProviders(name: string, defined: symbol): FactoryProvider[] {
  const inject = [PolyMongoWrapper, defined];
  const wrap = (wrapper: PolyMongoWrapper) => wrapper.wrapModel(wrapper.models.blueprint(name));
  return [
    { provide: getPolyModelToken(name), inject, useFactory: wrap },
    {
      provide: getTenantModelToken(name),
      inject,
      useFactory: (wrapper: PolyMongoWrapper) => wrapper.tenantModel(wrapper.models.blueprint(name)),
    },
    {
      provide: getTenantModelToken(name, 'request'),
      scope: Scope.REQUEST,
      durable: true,
      inject,
      useFactory: (wrapper: PolyMongoWrapper) => wrap(wrapper).tenant(),
    },
  ];
}
