import { afterEach, describe, expect, it } from '@jest/globals';
import { bridged, piped, type ScriptChannel } from '../../../../src/query/javascript/script-channel.js';
import { PROCESS_SOURCE } from '../../../../src/query/javascript/process.source.js';
import { REALM_SOURCE } from '../../../../src/query/javascript/realm.source.js';

const ECHO = `
const { readSync, writeSync } = require('node:fs');
const bytes = Buffer.alloc(1 << 22);
for (;;) {
  let at = 0;
  do {
    const count = readSync(0, bytes, at, bytes.length - at, null);
    if (count === 0) process.exit();
    at += count;
  } while (at < 4 || at < 4 + bytes.readUInt32LE());
  if (bytes.toString('utf8', 4, at) === 'end') process.exit(1);
  for (let sent = 0; sent < at; ) sent += writeSync(1, bytes, sent, Math.min(at - sent, 70000));
}`;

describe.each([
  ['over its pipes', piped],
  ['over a thread', bridged],
])('a process spoken with %s', (_title, open) => {
  let channel: ScriptChannel;

  afterEach(() => channel.end());

  it.each([0, 1, 70_000, 1_000_000])('answers %i characters with what it gives', (length) => {
    channel = open(['-e', ECHO], 1 << 22);
    const text = 'é'.repeat(length);
    expect(channel.exchange(text)).toBe(text);
    expect(channel.exchange('again')).toBe('again');
  });

  it('gives nothing once it has ended', async () => {
    channel = open(['-e', ECHO], 1 << 22);
    const ended = new Promise<void>((resolve) => channel.onEnd(resolve));
    expect(channel.exchange('end')).toBeUndefined();
    await ended;
    expect(channel.exchange('more')).toBeUndefined();
  });

  it('gives nothing where it says more than it may, or cannot start', async () => {
    channel = open(['-e', ECHO], 1000);
    expect(channel.exchange('x'.repeat(2000))).toBeUndefined();
    await channel.end();
    channel = open(['--no-such-option'], 1000);
    expect(channel.exchange('x')).toBeUndefined();
  });

  it('runs scripts, and ends those that take too long', () => {
    channel = open(['-e', PROCESS_SOURCE], 1 << 22);
    expect(channel.exchange(JSON.stringify([REALM_SOURCE, 2 ** 30, 1000]))).toBe('ready');
    expect(channel.exchange('[1,null,"() => (a) => a + 1",5000]\n[1]')).toBe('[0]');
    expect(channel.exchange('[1,null,null,5000]\n[2,0,null,[41],""]')).toBe('[0,42,[]]');
    expect(channel.exchange('[1,null,"() => () => { for (;;); }",5000]\n[1]')).toBe('[0]');
    expect(channel.exchange('[1,null,null,50]\n[2,1,null,[],""]')).toBeUndefined();
  });
});
