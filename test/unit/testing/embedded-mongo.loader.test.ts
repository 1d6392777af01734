import { describe, expect, it } from '@jest/globals';
import { PolyMongoError } from '../../../lib/index.js';
import { loadEmbeddedMongo } from '../../../lib/testing/embedded-mongo.loader.js';
import { EmbeddedMongoMissingError } from '../../../lib/testing/index.js';

/** What importing the package gives where it, or something that it needs, is not installed. */
const failing = (code: string, message: string) => () => Promise.reject(Object.assign(new Error(message), { code }));

describe('the package embedded-mongo', () => {
  it.each([
    ['import', 'ERR_MODULE_NOT_FOUND', "Cannot find package 'embedded-mongo' imported from /app/node_modules/x.js"],
    ['require', 'MODULE_NOT_FOUND', "Cannot find module 'embedded-mongo'\nRequire stack:\n- /app/index.js"],
  ])('is told to be missing by the command that installs it, under %s', async (_, code, message) => {
    const error = await loadEmbeddedMongo(failing(code, message)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EmbeddedMongoMissingError);
    expect(error).toBeInstanceOf(PolyMongoError);
    expect(error).toMatchObject({ command: 'npm install --save-dev embedded-mongo', cause: { code } });
    expect(String(error)).toMatch(/npm install --save-dev embedded-mongo$/);
  });

  it('is not missing where something that it needs is', async () => {
    const message = "Cannot find package 'bson' imported from /app/node_modules/embedded-mongo/dist/esm/index.js";
    await expect(loadEmbeddedMongo(failing('ERR_MODULE_NOT_FOUND', message))).rejects.toThrow(message);
  });
});
