import 'reflect-metadata';
import { ConsoleLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { describeListenError, portFromEnvironment } from './port.js';
import { openMongo } from './mongo.server.js';
import { startupText } from './startup.text.js';

const port = portFromEnvironment(process.env);
const mongo = await openMongo(process.env);
const app = await NestFactory.create(AppModule.with(mongo.uri), {
  logger: new ConsoleLogger({ logLevels: ['error', 'warn'] }),
});
app.enableShutdownHooks();

try {
  await app.listen(port);
  const { port: bound } = app.getHttpServer().address() as { port: number };
  console.log(startupText(bound, mongo.description));
} catch (error) {
  console.error(describeListenError(error, port));
  process.exitCode = 1;
  await app.close();
}
// The database outlives the application that uses it.
app.getHttpServer().on('close', () => void mongo.stop());
if (process.exitCode) await mongo.stop();
