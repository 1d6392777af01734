import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { redactError } from '../../lib/polymongo.error-secrets.js';
import { mulberry32 } from '../support/random.js';
import { printedSeed } from '../support/seed.js';

const SEEDS = Number(process.env.POLYMONGO_SEEDS ?? 200);
const FIRST_SEED = printedSeed('secrets of errors');
const CANARY = 'zq"1 x';

const shown = (error: unknown) => inspect(error, { depth: null, showHidden: true, getters: true });

/** An error as the SOCKS client's, inside of two of the driver's. */
function socketError(options: object) {
  const cause = Object.assign(new Error('Socks5 Authentication failed'), { options });
  return new Error('selection', { cause: new AggregateError([new Error('network', { cause })], 'all') });
}

describe('redactError', () => {
  it('takes out what is secret by its name, in whatever an error and its causes hold', () => {
    const proxy = { host: 'proxy', port: 1080, userId: 'mallory', password: 'pw' };
    for (const name of ['pass', 'pwd', 'passphrase', 'proxyPassword', 'clientSecret', 'accessToken', 'key', 'user']) {
      Object.assign(proxy, { [name]: 'pw' });
    }
    const error = socketError({ proxy, list: [proxy], map: new Map([['proxy', proxy]]), set: new Set([proxy]) });
    redactError(error, []);
    expect(shown(error)).not.toMatch(/'pw'|mallory/);
    expect(shown(error)).toContain("host: 'proxy'");
    expect(error.message).toBe('selection');
  });

  it('leaves objects that are not the error’s as they were', () => {
    const options = { proxy: { password: 'pw', host: 'h' } };
    const clean = { host: 'h', list: [1] };
    const error = socketError({ proxy: options.proxy, clean });
    redactError(error, []);
    expect(options).toEqual({ proxy: { password: 'pw', host: 'h' } });
    const { cause } = (error.cause as AggregateError).errors[0] as { cause: { options: { clean: object } } };
    expect(cause.options.clean).toBe(clean);
  });

  it('ends where what an error holds leads back to it', () => {
    class Socket {
      error?: Error;
      readonly secret = { password: CANARY };
    }
    const [ring, socket]: [Record<string, unknown>, Socket] = [{ password: CANARY }, new Socket()];
    const error = Object.assign(new Error('x'), { ring, socket });
    ring['ring'] = ring;
    ring['error'] = error;
    socket.error = new Error(`of ${CANARY}`, { cause: error });
    error.cause = socket.error;
    redactError(error, [CANARY]);
    expect(shown(error)).not.toContain('zq');
    expect(error.socket).toBe('[Socket]');
    expect(socket.secret.password).toBe(CANARY);
    expect((error.ring as { ring: object }).ring).toBe(error.ring);
  });

  it(`leaves a known secret nowhere, whatever holds it (seeds ${FIRST_SEED} to ${FIRST_SEED + SEEDS - 1}, POLYMONGO_SEED)`, () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const random = mulberry32(seed);
      const made: unknown[] = [];
      const pick = (depth: number): unknown => (made.length > 3 && random() < 0.2 ? made[Math.floor(random() * made.length)] : make(depth)); // prettier-ignore
      const make = (depth: number): unknown => {
        const text = random() < 0.5 ? `a ${CANARY} b` : 'clean';
        const child = () => (depth > 0 ? pick(depth - 1) : text);
        const kinds: (() => unknown)[] = [
          () => text,
          () => Object.assign(new Error(text), { child: child() }),
          () => new Error('with a cause', { cause: child() }),
          () => new AggregateError([child(), child()], text),
          () => ({ a: child(), [text]: child() }),
          () => [child(), child()],
          () => new Map([[text, child()]]),
          () => new Set([child()]),
          () => Object.freeze({ frozen: child() }),
          () => Object.defineProperty(new Error('hidden'), 'hidden', { value: child(), configurable: true }),
          () => ({ [Symbol('of a symbol')]: child() }),
        ];
        const value = kinds[Math.floor(random() * kinds.length)]!();
        made.push(value);
        return value;
      };
      const error = Object.assign(new Error(CANARY), { first: make(4), second: make(4) });
      redactError(error, [CANARY, JSON.stringify(CANARY).slice(1, -1)]);
      expect([seed, shown(error).match(/zq.{0,9}/)?.[0]]).toEqual([seed, undefined]);
    }
  });
});
