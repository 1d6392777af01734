// The entries for @nestjs/terminus, prom-client and @opentelemetry/api beside @nestjs/mongoose's own tokens, in one CommonJS
// application: what the packed package does on the versions that are installed here.
require('reflect-metadata');
const { Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { HealthCheckService, MongooseHealthIndicator, TerminusModule } = require('@nestjs/terminus');
const mongoose = require('mongoose');
const { getPolyModelToken, PolyMongoModule } = require('nestjs-polymongo');
const { PolyMongoOpenTelemetryModule } = require('nestjs-polymongo/opentelemetry');
const { PolyMongoPrometheusModule } = require('nestjs-polymongo/prometheus');
const { PolyMongoHealthIndicator } = require('nestjs-polymongo/terminus');
const { EmbeddedMongo } = require('nestjs-polymongo/testing');
const { register } = require('prom-client');

const inPool = 'db_client_connection_pool_name="default"';
const EXPECTED = [
  ...['insert', 'find', 'getMore'].map(
    (name) => new RegExp(`^db_client_operation_duration_seconds_count.*"${name}"`, 'm'),
  ),
  ...['create', 'wait', 'use'].map(
    (time) => new RegExp(`^db_client_connection_${time}_time_seconds_count{${inPool}} [1-9]`, 'm'),
  ),
];

async function main() {
  const mongo = await EmbeddedMongo.start();
  class App {}
  const connectionFactory = (connection) =>
    connection.plugin((schema) => schema.add({ v: { type: Number, default: 1 } }));
  Module({
    imports: [
      PolyMongoModule.forRoot({ mongoURI: mongo.uri, mongooseTokens: true, connectionFactory }),
      PolyMongoModule.forFeature([{ name: 'Note', schema: new mongoose.Schema({ n: Number }) }]),
      PolyMongoPrometheusModule.forRoot(),
      PolyMongoOpenTelemetryModule.forRoot(),
      TerminusModule,
    ],
    providers: [PolyMongoHealthIndicator],
  })(App);
  const app = await NestFactory.createApplicationContext(App, { logger: ['error'] });
  const notes = app.get(getPolyModelToken('Note')).db('acme');
  await notes.insertMany([{ n: 1 }, { n: 2 }, { n: 3 }]);
  for await (const { v } of notes.find().batchSize(1).cursor()) if (v !== 1) throw new Error('a plugin was lost');

  const text = await register.metrics();
  for (const line of EXPECTED) if (!line.test(text)) throw new Error(`no ${line} in\n${text}`);
  const theirs = await app.resolve(MongooseHealthIndicator, undefined, { strict: false });
  const own = app.get(PolyMongoHealthIndicator);
  const checks = [() => own.isHealthy(), () => theirs.pingCheck('mongoose')];
  const { status } = await app.get(HealthCheckService, { strict: false }).check(checks);
  if (status !== 'ok') throw new Error(`the health is ${status}`);
  await app.close();
  await mongo.stop();
  const versions = ['mongoose', '@nestjs/core', '@nestjs/terminus'].map(
    (name) => `${name} ${require(`${name}/package.json`).version}`,
  );
  console.log(`entries: ok on ${versions.join(', ')}`);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
