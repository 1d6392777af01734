import { describe, expect, it } from '@jest/globals';
import {
  MigrationChangedError,
  MigrationDefinitionError,
  MigrationHalfDoneError,
  MigrationIrreversibleError,
  MigrationMissingError,
  MigrationOrderError,
  MigrationUnknownError,
} from 'nestjs-polymongo';
import { MigrationCatalogue } from '../../../lib/providers/migrations/migration.catalogue.js';
import { aheadOf, planSteps, type MigrationRequest } from '../../../lib/providers/migrations/migration.plan.js';
import type { MigrationRecord } from '../../../lib/providers/migrations/migration.types.js';

const nothing = () => undefined;
const define = (name: string, isReversible = true) => ({
  name,
  checksum: `sum of ${name}`,
  up: nothing,
  ...(isReversible && { down: nothing }),
});
const catalogue = new MigrationCatalogue([define('0010-c'), define('0001-a'), define('0002-b', false)]);

const record = (name: string, more: Partial<MigrationRecord> = {}): [string, MigrationRecord] => [
  name,
  { state: 'done', direction: 'up', checksum: `sum of ${name}`, at: new Date(0), epoch: 1, ...more },
];
const plan = (request: MigrationRequest, ...records: [string, MigrationRecord][]) =>
  planSteps('acme', catalogue, Object.fromEntries(records), request).map(
    ({ kind, migration }) => `${kind} ${migration.name}`,
  );

describe('the migrations of the code', () => {
  it('stand in the order of their numbers, and are found by name and by number', () => {
    expect(catalogue.names).toEqual(['0001-a', '0002-b', '0010-c']);
    expect(['0002-b', '0002', '2'].map((name) => catalogue.get(name).name)).toEqual(Array(3).fill('0002-b'));
    expect(() => catalogue.get('3')).toThrow(MigrationUnknownError);
  });

  it.each([
    ['two of one number', [define('0001-a'), define('1-b')], /same number/],
    ['a name without a number', [define('split-name')], /must be named/],
    ['a name with a dot', [define('0001-a.b')], /must be named/],
    ['no up', [{ ...define('0001-a'), up: undefined as never }], /no function up/],
    ['a down that is none', [{ ...define('0001-a'), down: 'x' as never }], /down that is no function/],
  ])('are refused with %s', (_, definitions, message) => {
    expect(() => new MigrationCatalogue(definitions)).toThrow(MigrationDefinitionError);
    expect(() => new MigrationCatalogue(definitions)).toThrow(message);
  });
});

describe('up', () => {
  it('runs what has not run, up to and with `to`', () => {
    expect(plan({ kind: 'up' })).toEqual(['up 0001-a', 'up 0002-b', 'up 0010-c']);
    expect(plan({ kind: 'up', to: '2' }, record('0001-a'))).toEqual(['up 0002-b']);
    expect(plan({ kind: 'up', to: '1' }, record('0001-a'))).toEqual([]);
  });

  it('runs again what was rolled back', () => {
    expect(plan({ kind: 'up', to: '1' }, record('0001-a', { state: 'failed' }))).toEqual(['up 0001-a']);
  });

  it('refuses an order that is broken, unless only these are asked for', () => {
    const broken = () => plan({ kind: 'up' }, record('0001-a'), record('0010-c'));
    expect(broken).toThrow(MigrationOrderError);
    expect(broken).toThrow(/0002-b has not run, but 0010-c/);
    expect(plan({ kind: 'up', only: ['2'] }, record('0001-a'), record('0010-c'))).toEqual(['up 0002-b']);
  });

  it('refuses what changed after it ran, unless it is accepted', () => {
    const changed = record('0001-a', { checksum: 'another' });
    expect(() => plan({ kind: 'up' }, changed)).toThrow(MigrationChangedError);
    expect(plan({ kind: 'up', to: '2', accept: ['0001-a'] }, changed)).toEqual(['accept 0001-a', 'up 0002-b']);
  });

  it('refuses where one that ran is missing; later ones are those of later code', () => {
    expect(() => plan({ kind: 'up' }, record('0005-gone'))).toThrow(MigrationMissingError);
    const all = catalogue.names.map((name) => record(name));
    expect(plan({ kind: 'up' }, ...all, record('0011-later'))).toEqual([]);
    expect(aheadOf(catalogue, Object.fromEntries([...all, record('0011-later')]))).toEqual(['0011-later']);
  });

  it('never runs again what is half-done', () => {
    const cut = record('0001-a', { state: 'half-done', error: 'cut' });
    for (const request of [{ kind: 'up' }, { kind: 'up', only: ['10'] }, { kind: 'down' }] as const) {
      expect(() => plan(request, cut)).toThrow(MigrationHalfDoneError);
    }
  });
});

describe('down', () => {
  it('takes back the last one, or all after `to`', () => {
    expect(plan({ kind: 'down' }, record('0001-a'), record('0010-c'))).toEqual(['down 0010-c']);
    expect(plan({ kind: 'down', to: '0' }, record('0001-a'), record('0010-c'))).toEqual(['down 0010-c', 'down 0001-a']);
    expect(plan({ kind: 'down', to: '0010-c' }, record('0010-c'))).toEqual([]);
    expect(plan({ kind: 'down' })).toEqual([]);
  });

  it('takes back nothing where one of them has no down, or is not there', () => {
    const all = catalogue.names.map((name) => record(name));
    expect(() => plan({ kind: 'down', to: '1' }, ...all)).toThrow(MigrationIrreversibleError);
    expect(() => plan({ kind: 'down' }, ...all, record('0011-later'))).toThrow(MigrationMissingError);
  });
});

describe('redo and mark', () => {
  it('redo what is done by down and up, and finish what is half-done', () => {
    const redo = { kind: 'redo', name: '0001-a' } as const;
    expect(plan(redo, record('0001-a'))).toEqual(['down 0001-a', 'up 0001-a']);
    expect(plan(redo, record('0001-a', { state: 'half-done' }))).toEqual(['up 0001-a']);
    expect(plan(redo, record('0001-a', { state: 'half-done', direction: 'down' }))).toEqual([
      'down 0001-a',
      'up 0001-a',
    ]);
    expect(() => plan(redo)).toThrow(/has not run/);
    expect(() => plan(redo, record('0002-b', { state: 'half-done' }))).toThrow(MigrationHalfDoneError);
  });

  it('mark one without running it', () => {
    const cut = record('0001-a', { state: 'half-done' });
    expect(plan({ kind: 'mark', name: '0001-a', as: 'done' }, cut)).toEqual(['stamp 0001-a']);
    expect(plan({ kind: 'mark', name: '0001-a', as: 'undone' }, cut)).toEqual(['forget 0001-a']);
  });

  it('stamp all that have not run', () => {
    expect(plan({ kind: 'stamp' }, record('0001-a'))).toEqual(['stamp 0002-b', 'stamp 0010-c']);
  });
});
