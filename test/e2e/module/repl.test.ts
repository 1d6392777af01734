import { afterEach, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { repl } from '@nestjs/core';
import { Schema } from 'mongoose';
import { getPolyModelToken, getTenantModelToken, PolyMongoModule } from 'nestjs-polymongo';
import { once } from 'node:events';
import type { REPLServer } from 'node:repl';
import { PassThrough } from 'node:stream';

@Module({
  imports: [
    PolyMongoModule.forRoot({ mongoURI: 'mongodb://someone:s3cret@127.0.0.1:1' }),
    PolyMongoModule.forFeature([{ name: 'User', schema: new Schema({ name: String }) }]),
  ],
})
class AppModule {}

let server: REPLServer;
afterEach(async () => {
  server.close();
  await once(server, 'exit');
});

it("Nest's REPL shows models and completes their members, a tenant's model outside of any tenant too", async () => {
  const output = new PassThrough();
  server = await repl(AppModule, { input: new PassThrough(), output, terminal: false, useColors: false });
  Object.assign(server.context, { wrapped: getPolyModelToken('User'), tenants: getTenantModelToken('User') });
  for (const line of [
    'users = get(wrapped)',
    'mine = get(tenants)',
    "users.db('acme')",
    'users.find()',
    'mine.schema',
  ]) {
    const { error, shown } = await evaluated(line);
    expect({ line, error }).toEqual({ line, error: null });
    expect(shown).not.toContain('s3cret');
  }
  for (const name of ['users', 'mine']) {
    const { error, shown } = await evaluated(name);
    expect({ name, error, shown }).toEqual({ name, error: null, shown: expect.stringContaining('User') });
    expect(await completed(`${name}.fin`)).toEqual(expect.arrayContaining([`${name}.find`, `${name}.findOne`]));
    expect(await completed(`${name}.`)).toEqual(expect.arrayContaining([`${name}.db`, `${name}.collection`]));
    for (const member of ['db', 'collection', 'discriminators']) await completed(`${name}.${member}`);
  }
});

const evaluated = (line: string) =>
  new Promise<{ error: Error | null; shown: string }>((resolve) =>
    server.eval(`${line}\n`, server.context, 'repl', (error, value) => resolve({ error, shown: server.writer(value) })),
  );

const completed = (line: string) =>
  new Promise<string[]>((resolve, reject) =>
    server.completer(line, (error, result) => (error ? reject(error) : resolve(result![0]))),
  );
