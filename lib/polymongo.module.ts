import { Module, Scope, type DynamicModule, type FactoryProvider, type InjectionToken } from '@nestjs/common';
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
import { getPolyMongoToken } from './polymongo.parts.js';
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
   * Registers the pools and everything on them, once per application; again with a `name` of its own each time. The options are checked when it starts.
   * @throws PolyMongoOptionsError, DuplicateRootError when the application starts
   */
  static forRoot(options: PolyMongoModuleOptions): DynamicModule {
    if (!checks.object.accepts(options)) return PolyMongoModule.forRootAsync({ useFactory: () => options }); // which says so
    const { name, mongooseTokens, ...given } = options;
    return PolyMongoModule.forRootAsync({
      useFactory: () => given,
      ...(name !== undefined && { name }),
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
   * @param root the name of the root that serves them, where it has one
   * @throws PolyMongoOptionsError that names the definition and what is wrong in it
   */
  static forFeature(definitions: readonly (ModelDefinition & MongooseToken)[], root?: string): DynamicModule {
    checkDefinitions(definitions, 'schema');
    return PolyMongoModule.forFeatureAsync(
      definitions.map(({ schema, ...definition }) => ({ ...definition, useFactory: () => schema })),
      root,
    );
  }

  /** As {@link forFeature}, with schemas that factories make. @throws PolyMongoOptionsError as there */
  static forFeatureAsync(definitions: readonly AsyncModelDefinition[], root?: string): DynamicModule {
    checkDefinitions(definitions, 'useFactory');
    const providers = definitions.flatMap((definition) => modelProviders(definition, root));
    return {
      module: PolyMongoModule,
      imports: definitions.flatMap(({ imports = [] }) => imports),
      providers,
      exports: providers.map(({ provide }) => provide),
    };
  }
}

function modelProviders(
  { useFactory, inject = [], imports: _, ...definition }: AsyncModelDefinition,
  root: string | undefined,
): FactoryProvider[] {
  const { name, discriminators = [], mongooseToken } = definition;
  const defined = getBlueprintToken(name, root);
  const wrapper = getPolyMongoToken(PolyMongoWrapper, root);
  const names = [name, ...discriminators.map((kind) => kind.name)]; // defined with it
  return [
    {
      provide: defined,
      inject: [wrapper, ...inject],
      useFactory: async (owner: PolyMongoWrapper, ...dependencies: unknown[]) => {
        const schema = await useFactory(...dependencies);
        checkMadeSchema(name, schema);
        return owner.models.define({ ...definition, schema });
      },
    },
    ...names.flatMap((each) => injectedProviders(each, root, [wrapper, defined])),
    ...(mongooseToken ? names.map((each) => byMongooseToken(each, root, mongooseToken, [wrapper, defined])) : []),
  ];
}

/** The same by @nestjs/mongoose's token: for libraries, to which `model.db` is a connection and no function. */
const byMongooseToken = (
  name: string,
  root: string | undefined,
  which: 'default' | 'tenant',
  inject: InjectionToken[],
): FactoryProvider => ({
  provide: MONGOOSE_TOKENS.model(name, root),
  inject,
  useFactory: (wrapper: PolyMongoWrapper) => {
    const blueprint = wrapper.models.blueprint(name);
    return which === 'tenant'
      ? wrapper.tenantModel(blueprint)
      : wrapper.wrapModel(blueprint).db(wrapper.options.defaultDB);
  },
});

/** What is injected of a model. Each is made of the compiled one, so that a test can replace one of them alone. */
function injectedProviders(name: string, root: string | undefined, inject: InjectionToken[]): FactoryProvider[] {
  const wrap = (wrapper: PolyMongoWrapper) => wrapper.wrapModel(wrapper.models.blueprint(name));
  return [
    { provide: getPolyModelToken(name, root), inject, useFactory: wrap },
    {
      provide: getTenantModelToken(name, 'default', root),
      inject,
      useFactory: (wrapper: PolyMongoWrapper) => wrapper.tenantModel(wrapper.models.blueprint(name)),
    },
    {
      provide: getTenantModelToken(name, 'request', root),
      scope: Scope.REQUEST,
      durable: true,
      inject,
      useFactory: (wrapper: PolyMongoWrapper) => wrap(wrapper).tenant(),
    },
  ];
}
