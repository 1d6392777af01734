import { type MigrationCatalogue, numberOf } from './migration.catalogue.js';
import {
  MigrationChangedError,
  MigrationDefinitionError,
  MigrationHalfDoneError,
  MigrationIrreversibleError,
  MigrationMissingError,
  MigrationOrderError,
} from './migration.errors.js';
import type { MigrationDefinition, MigrationRecord, MigrationRecords } from './migration.types.js';

/** What is asked for a tenant. */
export type MigrationRequest =
  /** All that have not run, up to and with `to`; or `only` these, in whatever order they stand to the others. */
  | {
      readonly kind: 'up';
      readonly to?: string | undefined;
      readonly only?: readonly string[] | undefined;
      readonly accept?: readonly string[] | undefined;
    }
  /** Back to `to`, which stays; `'0'` is before the first. Without it the last one. */
  | { readonly kind: 'down'; readonly to?: string | undefined }
  /** Again: down and up where it is done; the direction that was not finished, where it is half-done. */
  | { readonly kind: 'redo'; readonly name: string }
  /** Nothing runs; it counts as done or as never run. */
  | { readonly kind: 'mark'; readonly name: string; readonly as: 'done' | 'undone' }
  /** Nothing runs; all of a new tenant count as done. */
  | { readonly kind: 'stamp' };

/** What is done with one migration. `accept`: its checksum is taken as it is now. */
export interface PlannedStep {
  readonly kind: 'up' | 'down' | 'stamp' | 'forget' | 'accept';
  readonly migration: MigrationDefinition;
}

/**
 * What is to be done for a tenant, in order: a function of the code's migrations, the tenant's records and the request.
 * @throws MigrationHalfDoneError, MigrationMissingError, MigrationChangedError, MigrationOrderError,
 *   MigrationIrreversibleError, MigrationUnknownError
 */
export function planSteps(
  tenantId: string,
  catalogue: MigrationCatalogue,
  records: MigrationRecords,
  request: MigrationRequest,
): PlannedStep[] {
  const named = request.kind === 'redo' || request.kind === 'mark' ? catalogue.get(request.name) : undefined;
  const halfDone = Object.entries(records).find(([name, { state }]) => state === 'half-done' && name !== named?.name);
  if (halfDone) {
    const [name, { direction, error }] = halfDone;
    throw new MigrationHalfDoneError(tenantId, name, direction, error);
  }
  const missing = namesOfDone(records).filter(
    (name) => !catalogue.find(name) && numberOf(name)! <= catalogue.lastNumber,
  );
  if (missing.length > 0) throw new MigrationMissingError(tenantId, missing);
  switch (request.kind) {
    case 'up':
      return planUp(tenantId, catalogue, records, request);
    case 'down':
      return planDown(tenantId, catalogue, records, request.to);
    case 'redo':
      return planRedo(tenantId, named!, records);
    case 'mark':
      return [{ kind: request.as === 'done' ? 'stamp' : 'forget', migration: named! }];
    case 'stamp':
      return pendingOf(catalogue, records).map((migration) => ({ kind: 'stamp', migration }));
  }
}

/** Those of the code that a tenant is without. */
export const pendingOf = (catalogue: MigrationCatalogue, records: MigrationRecords): MigrationDefinition[] =>
  catalogue.all.filter(({ name }) => !isDone(records[name]));

/** What ran for a tenant, and only later code knows: its number is after the last of this code's. */
export const aheadOf = (catalogue: MigrationCatalogue, records: MigrationRecords): string[] =>
  namesOfDone(records).filter((name) => !catalogue.find(name) && numberOf(name)! > catalogue.lastNumber);

/** The last migration that is done. */
export const versionOf = (records: MigrationRecords): string | undefined => namesOfDone(records).at(-1);

const isDone = (record: MigrationRecord | undefined): boolean => record?.state === 'done';

/** In their order. */
const namesOfDone = (records: MigrationRecords): string[] =>
  Object.keys(records)
    .filter((name) => isDone(records[name]))
    .sort((a, b) => numberOf(a)! - numberOf(b)!);

function planUp(
  tenantId: string,
  catalogue: MigrationCatalogue,
  records: MigrationRecords,
  { to, only, accept = [] }: Extract<MigrationRequest, { kind: 'up' }>,
): PlannedStep[] {
  const accepted = new Set(accept.map((name) => catalogue.get(name).name));
  const changed = catalogue.all.filter(
    ({ name, checksum }) => isDone(records[name]) && records[name]!.checksum !== checksum,
  );
  const refused = changed.filter(({ name }) => !accepted.has(name));
  if (refused.length > 0) {
    throw new MigrationChangedError(
      tenantId,
      refused.map(({ name }) => name),
    );
  }
  const pending = pendingOf(catalogue, records);
  const chosen = only && new Set(only.map((name) => catalogue.get(name).name));
  const last = to === undefined ? Infinity : numberOf(catalogue.get(to).name)!;
  const steps = pending.filter(({ name }) => (chosen ? chosen.has(name) : numberOf(name)! <= last));
  const latest = versionOf(records);
  if (!chosen && latest !== undefined) {
    const late = steps.filter(({ name }) => numberOf(name)! < numberOf(latest)!).map(({ name }) => name);
    if (late.length > 0) throw new MigrationOrderError(tenantId, late, latest);
  }
  return [
    ...changed.map((migration): PlannedStep => ({ kind: 'accept', migration })),
    ...steps.map((migration): PlannedStep => ({ kind: 'up', migration })),
  ];
}

function planDown(
  tenantId: string,
  catalogue: MigrationCatalogue,
  records: MigrationRecords,
  to: string | undefined,
): PlannedStep[] {
  const done = namesOfDone(records);
  const lowest = to === undefined ? undefined : Number(to) === 0 ? -1 : numberOf(catalogue.get(to).name)!;
  const names = lowest === undefined ? done.slice(-1) : done.filter((name) => numberOf(name)! > lowest);
  const unknown = names.filter((name) => !catalogue.find(name));
  if (unknown.length > 0) throw new MigrationMissingError(tenantId, unknown);
  return names.reverse().map((name) => takeBack(tenantId, catalogue.get(name)));
}

function planRedo(tenantId: string, migration: MigrationDefinition, records: MigrationRecords): PlannedStep[] {
  const record = records[migration.name];
  if (!record) {
    throw new MigrationDefinitionError(
      `${migration.name} has not run for tenant ${tenantId}, so it cannot be redone. Run it with up.`,
    );
  }
  const isUndone = record.direction === 'up' && record.state !== 'done';
  return isUndone ? [{ kind: 'up', migration }] : [takeBack(tenantId, migration), { kind: 'up', migration }];
}

function takeBack(tenantId: string, migration: MigrationDefinition): PlannedStep {
  if (!migration.down) throw new MigrationIrreversibleError(tenantId, migration.name);
  return { kind: 'down', migration };
}
