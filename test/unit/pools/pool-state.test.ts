import { describe, expect, it } from '@jest/globals';
import { IllegalPoolTransitionError } from '../../../lib/providers/pools/pool.errors.js';
import { assertTransition, LEGAL_TRANSITIONS } from '../../../lib/providers/pools/pool-state.js';
import type { PoolState } from '../../../lib/polymongo.types.js';

const STATES = Object.keys(LEGAL_TRANSITIONS) as PoolState[];
const LEGAL = [
  'cold>connecting',
  'cold>closed',
  'connecting>connected',
  'connecting>closed',
  'connected>draining',
  'draining>closed',
  'draining>connected',
  'closed>connecting',
];
const moves = STATES.flatMap((from) => STATES.map((to) => [from, to] as const));

describe('the states of a pool', () => {
  it.each(moves.filter((move) => LEGAL.includes(move.join('>'))))('go from %s to %s', (from, to) => {
    expect(() => assertTransition('db', from, to)).not.toThrow();
  });

  it.each(moves.filter((move) => !LEGAL.includes(move.join('>'))))('never go from %s to %s', (from, to) => {
    expect(() => assertTransition('db', from, to)).toThrow(IllegalPoolTransitionError);
  });
});
