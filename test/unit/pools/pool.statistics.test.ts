import { beforeEach, describe, expect, it } from '@jest/globals';
import { EventEmitter } from 'node:events';
import type { mongo } from 'mongoose';
import { PoolStatistics } from '../../../lib/providers/pools/pool.statistics.js';

let client: EventEmitter;
let statistics: PoolStatistics;
let changes: number;

beforeEach(() => {
  changes = 0;
  client = new EventEmitter();
  statistics = new PoolStatistics(() => changes++);
  statistics.follow(client as unknown as mongo.MongoClient);
});

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** What the driver's pool for one server says; connection ids count from 1 for each server. */
function server(address: string) {
  const say = (name: string, event: object = {}) => void client.emit(name, { address, ...event });
  say('connectionPoolCreated');
  return {
    say,
    open: (connectionId: number) => {
      say('connectionCreated', { connectionId });
      say('connectionReady', { connectionId });
    },
    checkOut: (connectionId: number) => {
      say('connectionCheckOutStarted');
      say('connectionCheckedOut', { connectionId });
    },
  };
}

describe('the sockets of a client', () => {
  it('are counted as pending, available and in use', () => {
    const a = server('a:1');
    a.open(1);
    a.open(2);
    a.say('connectionCreated', { connectionId: 3 });
    a.checkOut(2);
    a.say('connectionCheckOutStarted');
    expect(statistics.counts).toEqual({
      totalConnections: 3,
      availableConnections: 1,
      inUseConnections: 1,
      waitQueueSize: 1,
    });
    expect(changes).toBe(9);
  });

  it('of two servers are told apart, though their ids are the same', () => {
    const [a, b] = [server('a:1'), server('b:1')];
    a.open(1);
    b.open(1);
    a.checkOut(1);
    b.say('connectionClosed', { connectionId: 1 });
    expect(statistics.counts).toMatchObject({ totalConnections: 1, availableConnections: 0, inUseConnections: 1 });
  });

  it('that close while they are in use leave every count at once', () => {
    const a = server('a:1');
    a.open(1);
    a.checkOut(1);
    a.say('connectionClosed', { connectionId: 1 });
    expect(statistics.counts).toMatchObject({ totalConnections: 0, inUseConnections: 0 });
  });

  it.each(['connectionPoolCleared', 'connectionPoolClosed'])(
    'that were being made are given up without a word with %s',
    (name) => {
      const a = server('a:1');
      a.open(1);
      a.say('connectionCreated', { connectionId: 2 });
      a.say(name);
      expect(statistics.counts).toMatchObject({ totalConnections: 1, availableConnections: 1 });
    },
  );

  it('that somebody waited for and gave up are not waited for when one is free', async () => {
    const a = server('a:1');
    a.open(1);
    a.checkOut(1);
    a.say('connectionCheckOutStarted'); // aborted later: the driver says nothing
    a.say('connectionCheckedIn', { connectionId: 1 });
    await nextTurn();
    expect(statistics.counts).toMatchObject({ availableConnections: 1, waitQueueSize: 0 });
  });

  it('of an earlier client are not counted any more', () => {
    const before = server('a:1');
    before.open(1);
    statistics.reset();
    statistics.follow(new EventEmitter() as unknown as mongo.MongoClient);
    before.open(2);
    expect(statistics.counts).toMatchObject({ totalConnections: 0 });
  });
});

it('so many sockets are free when as many are open and unused, nobody waits and there is one server', () => {
  const a = server('a:1');
  expect(statistics.hasFree(1)).toBe(false);
  a.open(1);
  a.open(2);
  expect([1, 2, 3].map((count) => statistics.hasFree(count))).toEqual([true, true, false]);
  a.checkOut(1);
  expect([1, 2].map((count) => statistics.hasFree(count))).toEqual([true, false]);
  a.say('connectionCheckOutStarted');
  expect(statistics.hasFree(1)).toBe(false);
  a.say('connectionCheckOutFailed');
  expect(statistics.hasFree(1)).toBe(true);
  server('b:1').open(1); // which one a command goes to is not known
  expect(statistics.hasFree(1)).toBe(false);
});
