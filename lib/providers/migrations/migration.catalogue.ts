import { MigrationDefinitionError, MigrationUnknownError } from './migration.errors.js';
import type { MigrationDefinition } from './migration.types.js';

const NAME = /^(\d{1,15})-[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;

/** The number that a migration's name begins with, which is its place; undefined where the name is none. */
export function numberOf(name: string): number | undefined {
  const [, digits] = NAME.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** The migrations of the code, in their order. */
export class MigrationCatalogue {
  /** By number. */
  readonly all: readonly MigrationDefinition[];
  readonly #byName: ReadonlyMap<string, MigrationDefinition>;

  /** @throws MigrationDefinitionError naming what is wrong */
  constructor(definitions: readonly MigrationDefinition[]) {
    definitions.forEach(assertSound);
    this.all = [...definitions].sort((a, b) => numberOf(a.name)! - numberOf(b.name)!);
    this.#byName = new Map(this.all.map((definition) => [definition.name, definition]));
    this.all.forEach((definition, i) => {
      const before = this.all[i - 1];
      if (!before || numberOf(before.name) !== numberOf(definition.name)) return;
      throw new MigrationDefinitionError(
        `${before.name} and ${definition.name} have the same number, so neither is first. Give each a number of its own.`,
      );
    });
  }

  get names(): readonly string[] {
    return this.all.map(({ name }) => name);
  }

  /** The number of the last one; -1 where there are none. */
  get lastNumber(): number {
    return this.all.length === 0 ? -1 : numberOf(this.all.at(-1)!.name)!;
  }

  find(name: string): MigrationDefinition | undefined {
    return this.#byName.get(name);
  }

  /** The migration of a name, or of a number such as `'7'` or `'0007'`. @throws MigrationUnknownError */
  get(nameOrNumber: string): MigrationDefinition {
    const isNumber = /^\d{1,15}$/.test(nameOrNumber);
    const found = isNumber
      ? this.all.find(({ name }) => numberOf(name) === Number(nameOrNumber))
      : this.#byName.get(nameOrNumber);
    if (!found) throw new MigrationUnknownError(nameOrNumber, this.names);
    return found;
  }
}

function assertSound({ name, up, down, isTransactional, checksum }: MigrationDefinition): void {
  const wrong =
    typeof name !== 'string' || !NAME.test(name)
      ? "must be named as in '0007-split-name': up to 15 digits, a hyphen, then letters, digits, _ and -"
      : typeof up !== 'function'
        ? 'has no function up()'
        : down !== undefined && typeof down !== 'function'
          ? 'has a down that is no function'
          : isTransactional !== undefined && typeof isTransactional !== 'boolean'
            ? 'has an isTransactional that is neither true nor false'
            : typeof checksum !== 'string' || checksum === ''
              ? 'has a checksum that is no text'
              : undefined;
  if (wrong) throw new MigrationDefinitionError(`The migration ${name} ${wrong}.`);
}
