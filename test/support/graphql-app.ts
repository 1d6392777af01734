import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Inject, Injectable, UseGuards, type DynamicModule, type INestApplication } from '@nestjs/common';
import {
  Args,
  Context,
  Field,
  GraphQLModule,
  Int,
  Mutation,
  ObjectType,
  Parent,
  Query,
  ResolveField,
  Resolver,
  Subscription,
} from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import DataLoader from 'dataloader';
import { PubSub } from 'graphql-subscriptions';
import {
  fromHeader,
  fromPayload,
  InjectTenantModel,
  TenantConflictError,
  TenantContext,
  TenantGuard,
  TenantOverloadedError,
  TenantUnknownError,
  type TenantModel,
} from 'nestjs-polymongo';
import type { App } from 'supertest/types.js';
import { startHttpApp, type AdapterName } from './http-app.js';
import { Note, notesModules } from './notes.js';

/** Of all tenants. */
@Injectable()
export class Topic extends PubSub {
  subscribers = 0;
  override async subscribe(...given: Parameters<PubSub['subscribe']>): Promise<number> {
    const id = await super.subscribe(...given);
    this.subscribers++;
    return id;
  }
}

/** Made for one operation. */
export interface Loaders {
  notes: DataLoader<number, string>;
}

@ObjectType('Note')
class NoteType {
  @Field(() => String)
  tenant!: string;
  @Field(() => String, { nullable: true })
  text?: string;
  /** Whose `resolve` has been told of it. */
  @Field(() => String, { nullable: true })
  told?: string;
}

const ERRORS: Record<number, () => Error> = {
  403: () => new TenantConflictError(),
  404: () => new TenantUnknownError(),
  503: () => new TenantOverloadedError(100),
};

@Resolver(() => NoteType)
export class NotesResolver {
  readonly filtered: string[] = [];
  /** Whom `tenant.onEnter` has been told of. */
  readonly entered: string[] = [];

  constructor(
    @InjectTenantModel(Note.name) readonly notes: TenantModel<Note>,
    @Inject(TenantContext) readonly context: TenantContext,
    @Inject(Topic) readonly topic: Topic,
  ) {}

  @Query(() => [NoteType])
  @UseGuards(TenantGuard)
  async list() {
    return this.notes.find().lean();
  }

  @Mutation(() => NoteType)
  @UseGuards(TenantGuard)
  async add(@Args('text', { type: () => String }) text: string) {
    const note = await this.notes.create({ tenant: this.context.require(), text });
    await this.topic.publish('notes', { tenant: this.context.require(), text });
    return note;
  }

  @Query(() => String)
  fails(@Args('status', { type: () => Int }) status: number): string {
    throw ERRORS[status]!();
  }

  @Subscription(() => NoteType, {
    filter(this: NotesResolver, { tenant, text }: Note) {
      this.filtered.push(`${text} of ${tenant}: ${this.context.state}`);
      return tenant === this.context.current();
    },
    resolve(this: NotesResolver, note: Note) {
      return { ...note, told: this.context.state };
    },
  })
  @UseGuards(TenantGuard)
  added() {
    this.context.require();
    return this.topic.asyncIterableIterator('notes');
  }

  /** Nest calls one without parameters by itself. */
  @ResolveField(() => String)
  async current() {
    await new Promise(setImmediate);
    return this.context.state;
  }

  @ResolveField(() => String)
  async currentAgain(@Parent() _: NoteType) {
    return (await this.notes.findOne().lean())?.tenant ?? this.context.require();
  }

  @ResolveField(() => String)
  loaded(@Context() { loaders }: { loaders: Loaders }) {
    return loaders.notes.load(1);
  }
}

export type DriverName = 'Apollo' | 'Mercurius';

/** @param resolver a loader's batch function asks it for the current tenant */
const loadersOf = (resolver: () => NotesResolver) => (): { loaders: Loaders } => ({
  loaders: { notes: new DataLoader(async (keys) => keys.map(() => resolver().context.state)) },
});

function moduleOf(driver: DriverName, context: () => Record<string, unknown>): DynamicModule {
  return driver === 'Apollo'
    ? GraphQLModule.forRoot<ApolloDriverConfig>({
        driver: ApolloDriver,
        autoSchemaFile: true,
        allowBatchedHttpRequests: true,
        csrfPrevention: false,
        subscriptions: { 'graphql-ws': true },
        context,
      })
    : GraphQLModule.forRoot<MercuriusDriverConfig>({
        driver: MercuriusDriver,
        autoSchemaFile: true,
        allowBatchedQueries: true,
        subscription: { context, fullWsTransport: true },
        context,
      });
}

const ADAPTER_OF: Record<DriverName, AdapterName> = { Apollo: 'Express', Mercurius: 'Fastify' };

/** An application whose tenants have notes, by GraphQL. @param context what its context function adds */
export async function startGraphqlApp(
  mongoURI: string,
  driver: DriverName,
  context: () => object = () => ({}),
): Promise<INestApplication<App>> {
  const loaders = loadersOf(() => app.get(NotesResolver));
  const app = await startHttpApp(
    {
      imports: [
        ...notesModules(mongoURI, {
          resolve: [fromHeader('x-tenant-id'), fromPayload('meta.tenant')],
          onEnter: ({ id, kind }) => void app.get(NotesResolver).entered.push(`${id} by ${kind}`),
        }),
        moduleOf(driver, () => ({ ...loaders(), ...context() })),
      ],
      providers: [Topic, NotesResolver],
    },
    ADAPTER_OF[driver],
  );
  return app;
}
