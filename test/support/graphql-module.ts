import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import type { DynamicModule } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import type { AdapterName } from './http-app.js';

/** GraphQL with subscriptions, of the resolvers that the application has: by Mercurius on Fastify, by Apollo on Express. */
export const graphqlModule = (adapter: AdapterName): DynamicModule =>
  adapter === 'Fastify'
    ? GraphQLModule.forRoot<MercuriusDriverConfig>({
        driver: MercuriusDriver,
        autoSchemaFile: true,
        subscription: { fullWsTransport: true },
      })
    : GraphQLModule.forRoot<ApolloDriverConfig>({
        driver: ApolloDriver,
        autoSchemaFile: true,
        csrfPrevention: false,
        subscriptions: { 'graphql-ws': true },
      });
