import 'reflect-metadata';
import { ConsoleLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { openMongo } from './mongo.server.js';
import { describeStartError, portFromEnvironment } from './port.js';
import { startupText } from './startup.text.js';

async function start(port: number): Promise<void> {
  const mongo = await openMongo(process.env);
  const app = await NestFactory.create(AppModule.with(mongo.uri), {
    logger: new ConsoleLogger({ logLevels: ['error', 'warn'] }),
  });
  app.enableShutdownHooks();
  // The database outlives the application that uses it.
  app.getHttpServer().on('close', () => void mongo.stop());
  try {
    await app.listen(port);
    const { port: bound } = app.getHttpServer().address() as { port: number };
    console.log(startupText(bound, mongo.description));
  } catch (error) {
    console.error(describeStartError(error, port));
    process.exitCode = 1;
    await app.close();
    await mongo.stop();
  }
}

try {
  await start(portFromEnvironment(process.env));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
