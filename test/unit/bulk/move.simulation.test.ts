import { describe, expect, it } from '@jest/globals';
import { faultsIn, type MoveEvent } from '../../support/move-history.js';
import { MoveSimulation, type PlantedFault } from '../../support/move-simulation.js';
import { printedSeed } from '../../support/seed.js';

const SCHEDULES = Number(process.env.POLYMONGO_SCHEDULES ?? 300);
const FIRST_SEED = printedSeed('move.simulation');

async function faultsOf(seed: number, fault?: PlantedFault): Promise<string[]> {
  const simulation = new MoveSimulation(seed, fault);
  return [...faultsIn(await simulation.run()), ...simulation.faults];
}

describe('a move, by every schedule of messages that are late, lost or come twice and of movers that are stopped or killed', () => {
  it(
    'keeps each acknowledged write once, and shows nothing older than what was acknowledged before',
    async () => {
      let moves = 0;
      for (let seed = FIRST_SEED; seed < FIRST_SEED + SCHEDULES; seed++) {
        const simulation = new MoveSimulation(seed);
        const faults = [...faultsIn(await simulation.run()), ...simulation.faults];
        if (faults.length > 0) throw new Error(`POLYMONGO_SEED=${seed}: ${faults.join('\n')}`);
        moves += simulation.moves;
      }
      expect(moves).toBeGreaterThan(SCHEDULES / 2);
    },
    Math.max(60_000, SCHEDULES * 200),
  );

  it('is decided by its seed', async () => {
    const [first, second] = [new MoveSimulation(FIRST_SEED), new MoveSimulation(FIRST_SEED)];
    expect(await first.run()).toEqual(await second.run());
  });

  it.each<PlantedFault>(['no fence', 'no acknowledgment', 'idle as barrier', 'unfenced mover'])(
    'is not safe with a fault that is planted, and that is seen: %s',
    async (fault) => {
      for (let seed = 1; seed <= 1_000; seed++) {
        const endless: string[] = []; // it keeps a mover busy for ever, which is no loss
        if ((await faultsOf(seed, fault).catch(() => endless)).length > 0) return;
      }
      throw new Error(`1000 schedules with ${fault} show no fault`);
    },
  );
});

describe('what judges a history', () => {
  const write = (op: number, kind: MoveEvent['kind'], value: string): MoveEvent => ({
    op,
    at: op,
    kind,
    type: 'write',
    values: [value],
  });
  const read = (op: number, values: string[]): MoveEvent[] => [
    { op, at: op, kind: 'invoke', type: 'read', values: [] },
    { op, at: op, kind: 'ok', type: 'read', values },
  ];
  const [begun, done] = [write(1, 'invoke', 'a'), write(1, 'ok', 'a')];

  it.each<[string, MoveEvent[]]>([
    ['an acknowledged write that is missing', [begun, done, ...read(2, [])]],
    ['a write that is there twice', [begun, done, ...read(2, ['a', 'a'])]],
    ['a refused write that is there', [begun, write(1, 'fail', 'a'), ...read(2, ['a'])]],
    ['what nobody wrote', read(2, ['b'])],
    ['a read that finds less than one before it', [begun, ...read(2, ['a']), ...read(3, [])]],
  ])('finds %s', (_, history) => expect(faultsIn(history)).toHaveLength(1));

  it('lets a write be there or not whose outcome is unknown, or which had not ended when the read began', () => {
    expect(faultsIn([begun, write(1, 'unknown', 'a'), ...read(2, [])])).toEqual([]);
    const [invoke, ok] = read(2, []);
    expect(faultsIn([begun, invoke!, done, ok!])).toEqual([]);
  });
});
