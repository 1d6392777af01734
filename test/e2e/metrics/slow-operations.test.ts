import { afterEach, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { addNote, listNotes, startNotes } from './metrics.app.js';

afterEach(() => void jest.restoreAllMocks());

it('a slow operation is logged with database, model, method and duration, and none of its values', async () => {
  const server = await EmbeddedMongo.start();
  const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  const app = await startNotes({ mongoURI: server.uri, slowOperationMS: 150 });
  await addNote(app, 'acme', 1234567).expect(201);
  await listNotes(app, 'acme');
  warn.mockClear();
  server.stall(200);
  await addNote(app, 'acme', 7654321).expect(201);
  const lines = warn.mock.calls.map(([line]) => String(line));
  expect(lines).toEqual([
    expect.stringMatching(
      /^slow operation database=tenant_acme model=Note collection=notes operation=insertOne durationMS=\d{3}$/,
    ),
  ]);
  await app.close();
  await server.stop();
});
