import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Type } from '@nestjs/common';
import { messageOf } from '../../polymongo.errors.js';
import { numberOf } from './migration.catalogue.js';
import { MigrationDefinitionError } from './migration.errors.js';
import { migrationMetadata } from './migration.metadata.js';
import type { MigrationDefinition, MigrationInstance, MigrationScript } from './migration.types.js';

const SCRIPT = /^\d.*\.[cm]?[jt]s$/;
const NO_SCRIPT = /\.(d|test|spec)\.[cm]?ts$|\.(test|spec)\.[cm]?js$/;

/**
 * The migrations of a folder: every file whose name begins with a digit and ends as JavaScript or TypeScript does. Of one
 * with both, beside its compiled form, the JavaScript.
 * @throws MigrationDefinitionError for a file that is not named or made as a migration, or cannot be read
 */
export async function migrationsOf(directory: string): Promise<MigrationDefinition[]> {
  const folder = resolve(directory);
  const files = (await filesOf(folder)).filter((file) => SCRIPT.test(file) && !NO_SCRIPT.test(file));
  const scripts = files.filter((file) => !(isTypeScript(file) && files.includes(file.replace(/ts$/, 'js'))));
  return Promise.all(scripts.map((file) => readScript(join(folder, file))));
}

/** The migration that a class is. @throws MigrationDefinitionError */
export function migrationOf(type: Type<MigrationInstance>, instance: MigrationInstance): MigrationDefinition {
  const metadata = migrationMetadata(type);
  if (!metadata) {
    throw new MigrationDefinitionError(
      `${type.name} is no migration: put @Migration('0001-what-it-does') before the class.`,
    );
  }
  return {
    ...metadata,
    checksum: metadata.checksum ?? hashOf(String(type)),
    up: instance.up?.bind(instance),
    ...(instance.down && { down: instance.down.bind(instance) }),
  };
}

async function filesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    throw new MigrationDefinitionError(`The folder of the migrations cannot be read: ${messageOf(cause)}.`, { cause });
  }
}

async function readScript(file: string): Promise<MigrationDefinition> {
  const name = basename(file, extname(file));
  if (numberOf(name) === undefined) {
    throw new MigrationDefinitionError(
      `${file} begins with a digit, but is not named as a migration is: 0007-split-name${extname(file)}. Rename it, or move it away.`,
    );
  }
  const source = await readFile(file, 'utf8');
  const { up, down, isTransactional, checksum } = await load(file);
  return {
    name,
    checksum: checksum ?? hashOf(source.replaceAll('\r\n', '\n')),
    up,
    ...(down !== undefined && { down }),
    ...(isTransactional !== undefined && { isTransactional }),
  };
}

/** What a file exports: by name, or as its default. */
async function load(file: string): Promise<MigrationScript> {
  let found: unknown;
  try {
    // The CommonJS build of this package has require() here, which takes paths, and ES modules too.
    const specifier = typeof require === 'undefined' ? pathToFileURL(file).href : file;
    found = await import(specifier);
  } catch (cause) {
    const hint = isTypeScript(file)
      ? ' Node reads no TypeScript by itself before version 22.18: compile it, and name the folder with the JavaScript.'
      : '';
    throw new MigrationDefinitionError(`${file} cannot be loaded: ${messageOf(cause)}.${hint}`, { cause });
  }
  while (!isScript(found) && hasDefault(found)) found = found.default;
  if (!isScript(found)) throw new MigrationDefinitionError(`${file} exports no function up().`);
  return found;
}

const isScript = (value: unknown): value is MigrationScript =>
  typeof value === 'object' && value !== null && 'up' in value && typeof value.up === 'function';

const hasDefault = (value: unknown): value is { default: unknown } =>
  typeof value === 'object' && value !== null && 'default' in value && value.default !== value;

const isTypeScript = (file: string): boolean => /ts$/.test(file);

/** A hash that changes with the text. */
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);
