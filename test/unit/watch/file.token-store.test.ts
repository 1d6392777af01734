import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InvalidResumeTokenError } from '../../../lib/providers/watch/change-stream.errors.js';
import { FileTokenStore } from '../../../lib/providers/watch/file.token-store.js';

describe('FileTokenStore', () => {
  let root: string;
  let store: FileTokenStore;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'tokens-'));
    store = new FileTokenStore(join(root, 'made-later'));
  });
  afterEach(() => rm(root, { recursive: true }));

  it('gives back what was saved last, and nothing after it was deleted', async () => {
    expect(await store.load('a.b')).toBeUndefined();
    await store.save('a.b', { _data: '82' });
    await store.save('a.b', { _data: '83' });
    expect(await new FileTokenStore(store.folder).load('a.b')).toEqual({ _data: '83' });
    await store.delete('a.b');
    await store.delete('a.b');
    expect(await store.load('a.b')).toBeUndefined();
  });

  it('stays in its folder whatever the key', async () => {
    for (const key of ['../out', '..', '/etc/x', 'a\0b', 'Class.method']) await store.save(key, { _data: key });
    expect(await readdir(root)).toEqual(['made-later']);
    expect(await readdir(store.folder)).toHaveLength(5);
    expect(await store.load('../out')).toEqual({ _data: '../out' });
  });

  it('names the file that holds no token', async () => {
    await store.save('a', { _data: '82' });
    const [file] = await readdir(store.folder);
    for (const content of ['{"_da', '', 'null']) {
      await writeFile(join(store.folder, file!), content);
      await expect(store.load('a')).rejects.toThrow(file);
      await expect(store.load('a')).rejects.toThrow(InvalidResumeTokenError);
    }
  });
});
