// Requests per second of Nest applications whose controller injects 10 models, by the way they are injected: side by
// side in one process, each way with one route of its own, in short turns back and forth, one load generator for all.
// Durable providers are in a process of their own, as their strategy counts for a whole process. A second is one of the
// server's processor time, so that what else runs on the machine counts for nothing. Ratios are of plain models in an
// application with this module, in the same turn.
// The last rows say what the module and AsyncLocalStorage cost an application at all, whoever uses them: plain models in
// an application without the module, in a process where nobody uses AsyncLocalStorage, and with one bare `run` a request.
//   npm run build && node bench/tenancy.mjs [turns] [milliseconds a turn]
//   node bench/tenancy.mjs --check [turns] [milliseconds a turn]
// The latter, for CI: only what has a bound, which is missed where even the upper end of what the median may be is below it
// (of a thousand runs at the bound itself one fails, whatever else the machine does).
// NESTJS_CLS=<folder of an installed nestjs-cls that sees this project's @nestjs> adds its proxy providers.
import 'reflect-metadata';
import { AsyncLocalStorage } from 'node:async_hooks';
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
import { row, section } from '../packages/embedded-mongo/bench/report.mjs';

const MODELS = Array.from({ length: 10 }, (_, i) => `Model${i}`);
const TENANTS = 50;
const CONNECTIONS = 16;
/** Of what is measured, at least so many times the requests of the first, by adapter. */
const BOUNDS = {
  '@InjectTenantModel': { Express: 0.98, Fastify: 0.85, by: 'plain @InjectModel' },
  'plain @InjectModel': { Express: 0.85, Fastify: 0.85, by: 'plain, without the module' },
};
/** Standard deviations of the median's rank: one median in a thousand lies beyond. */
const CERTAINTY = 3.09;
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
  plain: async () => {
    const { providers, tokens } = plain();
    return { providers, paths: { plain: tokens } };
  },
  'plain with the module': async () => ({ ...(await APPLICATIONS.plain()), imports: polymongo() }),
  tenant: async () => ({ imports: polymongo(), paths: { tenant: tenantTokens() } }),
  request: async () => ({ imports: polymongo(), paths: { request: tenantTokens('request') } }),
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
  'bare run': async () => ({
    ...(await APPLICATIONS.plain()),
    prepare: (app) => {
      const storage = new AsyncLocalStorage();
      const adapter = app.getHttpAdapter();
      if (adapter.getType() === 'express') adapter.use((_request, _response, next) => storage.run({}, next));
      else adapter.getInstance().addHook('onRequest', (_request, _reply, done) => storage.run({}, done));
    },
  }),
};

/** The processes, by the applications in them. */
const SIDE_BY_SIDE = [
  'plain',
  'plain with the module',
  'tenant',
  'request',
  ...(process.env.NESTJS_CLS ? ['nestjs-cls'] : []),
];

/** What is measured: a process, an application in it and a path of that. The first is what the others are compared with. */
const WAYS = {
  'plain @InjectModel': [SIDE_BY_SIDE, 'plain with the module', 'plain'],
  '@InjectTenantModel': [SIDE_BY_SIDE, 'tenant', 'tenant'],
  'scope REQUEST': [SIDE_BY_SIDE, 'request', 'request'],
  'durable providers': [['durable'], 'durable', 'durable'],
  ...(process.env.NESTJS_CLS && { 'nestjs-cls': [SIDE_BY_SIDE, 'nestjs-cls', 'cls'] }),
  'plain, without the module': [SIDE_BY_SIDE, 'plain', 'plain'],
  'plain, no AsyncLocalStorage': [['plain'], 'plain', 'plain'],
  'plain, a bare run': [['bare run'], 'bare run', 'plain'],
};
const [PLAIN] = Object.keys(WAYS);
/** What has a bound, and what that is compared with. */
const BOUNDED = Object.keys(WAYS).filter((way) => way in BOUNDS || Object.values(BOUNDS).some(({ by }) => by === way));

const [mode, ...given] = process.argv.slice(2);
if (mode === '--serve') await serve(given[0].split(','), given[1]);
else if (mode === '--check') await compare(Number(given[0] ?? 60), Number(given[1] ?? 50), BOUNDED);
else await compare(Number(mode ?? 150), Number(given[0] ?? 80), Object.keys(WAYS));

async function serve(applications, adapter) {
  const ports = {};
  for (const name of applications) ports[name] = await listen(await APPLICATIONS[name](), adapter);
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send((user + system) / 1e6);
  });
  process.send(ports);
  process.on('disconnect', () => process.exit());
}

async function listen({ imports = [], providers = [], paths, prepare }, adapter) {
  const controllers = Object.entries(paths).map(([path, tokens]) => controllerOf(path, tokens));
  class App {}
  Module({ imports, providers, controllers })(App);
  const app = await NestFactory.create(App, ADAPTERS[adapter](), { logger: ['error', 'fatal'] });
  prepare?.(app);
  await app.listen(0, '127.0.0.1');
  return app.getHttpServer().address().port;
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

async function compare(turns, turnMS, names) {
  for (const adapter of Object.keys(ADAPTERS)) {
    section(`${adapter}, 10 models, ${TENANTS} tenants, ${CONNECTIONS} connections, median of ${turns} turns`);
    const processes = [...new Set(names.map((way) => WAYS[way][0]))];
    const servers = new Map();
    for (const applications of processes) servers.set(applications, await start(applications, adapter));
    const rates = Object.fromEntries(names.map((way) => [way, []]));
    const measure = ([applications, name, path]) => {
      const { child, ports } = servers.get(applications);
      return load(child, ports[name], path, turnMS);
    };
    for (const way of [...names, ...names]) await measure(WAYS[way]);
    for (let turn = 0; turn < turns; turn++) {
      for (const way of turn % 2 ? names.toReversed() : names) rates[way].push(await measure(WAYS[way]));
    }
    for (const way of names) {
      const ratio = median(ratiosTo(PLAIN, rates, way));
      row(way, `${Math.round(median(rates[way]))} requests/s   ${ratio.toFixed(2)} × plain`);
    }
    for (const [way, { by, [adapter]: bound }] of Object.entries(BOUNDS)) {
      const ratios = ratiosTo(by, rates, way);
      const most = upperEnd(ratios);
      const figure = `${median(ratios).toFixed(2)}, ${most.toFixed(2)} at most, × ${by}`;
      row(way, figure, `at least ${bound}`, most >= bound);
    }
    for (const { child } of servers.values()) child.disconnect();
  }
}

async function start(applications, adapter) {
  const child = fork(fileURLToPath(import.meta.url), ['--serve', applications.join(), adapter]);
  const ports = await new Promise((resolve, reject) =>
    child.once('message', resolve).once('exit', () => reject(new Error(`${applications.join(', ')} did not start`))),
  );
  return { child, ports };
}

/** Answers a processor second that a server gives to keep-alive connections which each ask again when they are answered. */
async function load(child, port, path, durationMS) {
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

/** The rates of one way to those of another, turn by turn. */
function ratiosTo(other, rates, way) {
  return rates[way].map((rate, turn) => rate / rates[other][turn]);
}

/** The upper end of what the median may be, by the ranks of the values alone. */
function upperEnd(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.ceil(sorted.length / 2 + (CERTAINTY * Math.sqrt(sorted.length)) / 2);
  return sorted[Math.min(rank, sorted.length - 1)];
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
