// Requests per second of one Nest application whose controllers inject 10 models, by the way they are injected: plain
// and tenant models side by side in one application, in turns, one load generator for all. What cannot be in the same
// application (durable providers, nestjs-cls, and the application without this module) has one of its own. A second is
// one of the server's processor time, so that what else runs on the machine counts for nothing. Ratios are of the plain
// models in the same turn.
//   npm run build && node bench/tenancy.mjs [turns] [milliseconds a turn]
// NESTJS_CLS=<folder of an installed nestjs-cls that sees this project's @nestjs> adds its proxy providers.
import 'reflect-metadata';
import { fork } from 'node:child_process';
import { connect } from 'node:net';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Controller, Get, Inject, Module } from '@nestjs/common';
import { ContextIdFactory, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { getModelToken } from '@nestjs/mongoose';
import mongoose from 'mongoose';
import {
  fromHeader,
  getTenantModelToken,
  PolyMongoModule,
  TenantContext,
  TenantContextIdStrategy,
} from 'nestjs-polymongo';
import { row, section } from './report.mjs';

const MODELS = Array.from({ length: 10 }, (_, i) => `Model${i}`);
const TENANTS = 50;
const CONNECTIONS = 16;
const BOUNDS = { Express: 0.98, Fastify: 0.85 };
const ADAPTERS = { Express: () => new ExpressAdapter(), Fastify: () => new FastifyAdapter() };
const schema = () => new mongoose.Schema({ name: String });

const polymongo = () => [
  PolyMongoModule.forRoot({
    mongoURI: 'mongodb://127.0.0.1:1', // nothing is sent: what is measured is finding the model
    tenant: { resolve: fromHeader('x-tenant-id') },
  }),
  PolyMongoModule.forFeature(MODELS.map((name) => ({ name, schema: schema() }))),
];

/** Models as @nestjs/mongoose provides them. */
const plain = () => {
  const connection = mongoose.createConnection();
  const providers = MODELS.map((name) => ({
    provide: getModelToken(name),
    useValue: connection.model(name, schema()),
  }));
  return { providers, tokens: MODELS.map((name) => getModelToken(name)) };
};
const tenantTokens = (scope) => MODELS.map((name) => getTenantModelToken(name, scope));

/** Each application, and how the controller of each of its paths finds its 10 models. */
const APPLICATIONS = {
  'the module': async () => {
    const { providers, tokens } = plain();
    return {
      imports: polymongo(),
      providers,
      paths: { plain: tokens, als: tenantTokens(), request: tenantTokens('request') },
    };
  },
  durable: async () => ({
    imports: polymongo(),
    paths: { durable: tenantTokens('request') },
    prepare: (app) => ContextIdFactory.apply(new TenantContextIdStrategy(app.get(TenantContext))),
  }),
  'nestjs-cls': async () => {
    const { ClsModule, CLS_REQ } = createRequire(`${process.env.NESTJS_CLS}/`)('nestjs-cls');
    const connection = mongoose.createConnection();
    const models = new Map();
    const modelOf = (tenant, name) => {
      const key = `${tenant}.${name}`;
      if (!models.has(key))
        models.set(key, connection.useDb(`tenant_${tenant}`, { useCache: true }).model(name, schema()));
      return models.get(key);
    };
    const proxies = MODELS.map((name) =>
      ClsModule.forFeatureAsync({
        provide: `cls${name}`,
        type: 'function',
        inject: [CLS_REQ],
        useFactory: (request) => modelOf(request.headers['x-tenant-id'], name),
      }),
    );
    const root = ClsModule.forRoot({ middleware: { mount: true } });
    return { imports: [root, ...proxies], paths: { cls: MODELS.map((name) => `cls${name}`) } };
  },
  'no module': async () => {
    const { providers, tokens } = plain();
    return { providers, paths: { plain: tokens } };
  },
};

/** What is measured: an application and a path of it. The first is what the others are compared with. */
const WAYS = {
  'plain @InjectModel': ['the module', 'plain'],
  '@InjectTenantModel': ['the module', 'als'],
  'scope REQUEST': ['the module', 'request'],
  'durable providers': ['durable', 'durable'],
  ...(process.env.NESTJS_CLS && { 'nestjs-cls': ['nestjs-cls', 'cls'] }),
  'plain, without the module': ['no module', 'plain'],
};
const [PLAIN, TENANT] = Object.keys(WAYS);
const WITHOUT = Object.keys(WAYS).at(-1);

if (process.argv[2] === '--serve') await serve(process.argv[3], process.argv[4]);
else await compare(Number(process.argv[2] ?? 7), Number(process.argv[3] ?? 1500));

async function serve(application, adapter) {
  const { imports = [], providers = [], paths, prepare } = await APPLICATIONS[application]();
  const controllers = Object.entries(paths).map(([path, tokens]) => controllerOf(path, tokens));
  class App {}
  Module({ imports, providers, controllers })(App);
  const app = await NestFactory.create(App, ADAPTERS[adapter](), { logger: ['error', 'fatal'] });
  prepare?.(app);
  await app.listen(0, '127.0.0.1');
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send((user + system) / 1e6);
  });
  process.send(app.getHttpServer().address().port);
  process.on('disconnect', () => process.exit());
}

/** A controller into which these models are injected, and which uses each of them. */
function controllerOf(path, tokens) {
  class BenchController {
    constructor(...models) {
      this.models = models;
    }
    read() {
      let length = 0;
      for (const model of this.models) length += model.db.name?.length ?? 0; // each model is looked up
      return { length };
    }
  }
  Controller(path)(BenchController);
  Get()(BenchController.prototype, 'read', Object.getOwnPropertyDescriptor(BenchController.prototype, 'read'));
  const types = tokens.map(() => Object);
  Reflect.defineMetadata('design:paramtypes', types, BenchController);
  tokens.forEach((token, i) => Inject(token)(BenchController, undefined, i));
  return BenchController;
}

async function compare(turns, turnMS) {
  const applications = [...new Set(Object.values(WAYS).map(([application]) => application))];
  for (const adapter of Object.keys(ADAPTERS)) {
    section(`${adapter}, 10 models, ${TENANTS} tenants, ${CONNECTIONS} connections, median of ${turns} turns`);
    const servers = new Map(await Promise.all(applications.map(async (name) => [name, await start(name, adapter)])));
    const rates = Object.fromEntries(Object.keys(WAYS).map((way) => [way, []]));
    const measure = ([application, path]) => load(servers.get(application), path, turnMS);
    for (const way of Object.values(WAYS)) await measure(way);
    for (let turn = 0; turn < turns; turn++) {
      for (const [name, way] of Object.entries(WAYS)) rates[name].push(await measure(way));
    }
    const ratio = (way, to) => median(rates[way].map((rate, turn) => rate / rates[to][turn]));
    const isKept = (value) => value >= BOUNDS[adapter];
    for (const way of Object.keys(WAYS)) {
      const figure = `${Math.round(median(rates[way]))} requests/s   ${ratio(way, PLAIN).toFixed(2)} × plain`;
      row(way, figure, way === TENANT ? `at least ${BOUNDS[adapter]}` : undefined, isKept(ratio(way, PLAIN)));
    }
    const whole = ratio(TENANT, WITHOUT);
    row(`${TENANT} of that`, `${whole.toFixed(2)} × plain`, `at least ${BOUNDS[adapter]}`, isKept(whole));
    for (const { child } of servers.values()) child.disconnect();
  }
}

async function start(application, adapter) {
  const child = fork(fileURLToPath(import.meta.url), ['--serve', application, adapter]);
  const port = await new Promise((resolve, reject) =>
    child.once('message', resolve).once('exit', () => reject(new Error(`${application} did not start`))),
  );
  return { child, port };
}

/** Answers a processor second that a server gives to keep-alive connections which each ask again when they are answered. */
async function load({ child, port }, path, durationMS) {
  let answers = 0;
  let isOver = false;
  const startedAt = await processorSeconds(child);
  const connections = Array.from({ length: CONNECTIONS }, async (_, i) => {
    const tenant = (request) => `t${(i + request * CONNECTIONS) % TENANTS}`;
    const socket = connect(port, '127.0.0.1').setNoDelay();
    let asked = 0;
    const ask = () => socket.write(`GET /${path} HTTP/1.1\r\nHost: bench\r\nx-tenant-id: ${tenant(asked++)}\r\n\r\n`);
    socket.on('data', (chunk) => {
      if (chunk.subarray(0, 12).toString('latin1') !== 'HTTP/1.1 200') throw new Error(chunk.toString());
      answers++;
      if (isOver) socket.destroy();
      else ask();
    });
    await new Promise((resolve, reject) => socket.once('connect', ask).once('close', resolve).once('error', reject));
  });
  setTimeout(() => (isOver = true), durationMS);
  await Promise.all(connections);
  return answers / ((await processorSeconds(child)) - startedAt);
}

function processorSeconds(child) {
  return new Promise((resolve) => child.once('message', resolve).send('usage'));
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
