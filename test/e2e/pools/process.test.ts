import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { EmbeddedMongo } from 'nestjs-polymongo/testing';
import { eventually, ServerProbe } from '../../support/server-probe.js';

const BUILT = new URL('../../../dist/esm/index.js', import.meta.url);

let server: EmbeddedMongo;
let probe: ServerProbe;
beforeAll(async () => {
  server = await EmbeddedMongo.start();
  probe = await ServerProbe.open(server.uri);
});
afterAll(async () => {
  await probe.close();
  await server.stop();
});

/** Runs a program that uses the built package without Nest; `line` are the lines it has printed. */
function run(body: string) {
  const program = `
    import { PolyMongoWrapper } from ${JSON.stringify(BUILT.href)};
    const create = (options) => new PolyMongoWrapper({ mongoURI: ${JSON.stringify(server.uri)}, ...options });
    const say = (text) => process.stdout.write(text + '\\n');
    ${body}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  const ended = once(child, 'exit').then(([code, signal]) => ({ code, signal, lines: output.trim().split('\n') }));
  const says = (text: string) => eventually(() => expect(output).toContain(text), 10_000);
  return { child, ended, says };
}

const suite = existsSync(BUILT) ? describe : describe.skip; // npm run build makes it

suite('a process without Nest', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGUSR2'] as const)(
    'closes all its wrappers on %s, their hooks included, and then dies of it',
    async (signal) => {
      const { child, ended, says } = run(`
        for (const name of ['quick', 'slow']) {
          const polymongo = create({ defaultDB: name });
          polymongo.onDbDisconnect(async () => {
            if (name === 'slow') await new Promise((resolve) => setTimeout(resolve, 200));
            say(name + ' closed');
          });
          await polymongo.pools.connect(name);
        }
        say('ready');`);
      await says('ready');
      child.kill(signal);
      expect(await ended).toMatchObject({ code: null, signal, lines: ['ready', 'quick closed', 'slow closed'] });
      await eventually(async () => expect(await probe.sockets()).toBe(0));
    },
  );

  it('is ended by its signal at once, with no hook run, when the wrapper has handleSignals: false', async () => {
    const { child, ended, says } = run(`
      const polymongo = create({ handleSignals: false });
      polymongo.onDbDisconnect(() => say('closed'));
      await polymongo.pools.connect('default');
      say('ready');`);
    await says('ready');
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: null, signal: 'SIGTERM', lines: ['ready'] });
  });

  it('connects what does not start cold in the background, whoever handles signals', async () => {
    const { ended } = run(`
      const polymongo = create({ coldStart: false, handleSignals: false });
      polymongo.onDbConnect(({ name }) => (say(name), polymongo.actions.closeAll()));`);
    expect(await ended).toMatchObject({ code: 0, lines: ['default'] });
  });

  it('leaves the end to a listener of the application', async () => {
    const { child, ended, says } = run(`
      const polymongo = create();
      await polymongo.pools.connect('default');
      process.on('SIGTERM', () => say('mine'));
      say('ready');`);
    await says('ready');
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 0, signal: null, lines: ['ready', 'mine'] });
  });

  it('ends by itself after closeAll(), with no handle left', async () => {
    const { ended } = run(`
      const polymongo = create({ dbSpecific: [{ dbName: 'own', options: { autoClose: true } }] });
      await polymongo.pools.connect('default');
      await polymongo.pools.connect('own');
      await polymongo.actions.closeAll();
      say(String(['SIGINT', 'SIGTERM', 'SIGUSR2'].map((signal) => process.listenerCount(signal))));`);
    expect(await ended).toMatchObject({ code: 0, lines: ['0,0,0'] });
  });

  it('is not held up after forceCloseAll() by hooks and streams that never end', async () => {
    const startedAt = performance.now();
    const { ended } = run(`
      const polymongo = create({ shutdownTimeoutMS: 60_000 });
      polymongo.onDbDisconnect(() => new Promise(() => {}));
      polymongo.pools.events.on('streams', () => new Promise(() => {}));
      await polymongo.pools.connect('default');
      polymongo.actions.closeAll();
      await polymongo.actions.forceCloseAll();
      say('closed');`);
    expect(await ended).toMatchObject({ code: 0, lines: ['closed'] });
    expect(performance.now() - startedAt).toBeLessThan(30_000);
  });

  it('is not kept alive by one that was made and never used', async () => {
    expect(await run(`create(); say('made');`).ended).toMatchObject({ code: 0, lines: ['made'] });
  });

  it('is not kept alive by the timer of an idle pool once that is closed', async () => {
    const { ended } = run(`
      const polymongo = create({ dbSpecific: [{ dbName: 'own', options: { autoClose: true, ttl: 50 } }] });
      await polymongo.pools.connect('own');
      say('open');`);
    expect(await ended).toMatchObject({ code: 0, lines: ['open'] });
  });
});
