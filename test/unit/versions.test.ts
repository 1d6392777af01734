import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as unknown;

describe('the versions that the models are tested on', () => {
  const versions = read('test/conformance/versions.json') as {
    mongoose: Record<string, string>;
    nest: Record<string, Record<string, string>>;
    corners: { mongoose: string; nest: string }[];
  };

  it('are all run by the shard "matrix"', () => {
    const { matrix } = read('test/shards.json') as { matrix: { command: string[] }[] };
    const cells = Object.keys(versions.mongoose).flatMap((m) => Object.keys(versions.nest).map((n) => [m, n]));
    expect(matrix.map(({ command }) => command.slice(2))).toEqual(cells);
  });

  it('begin at the lowest mongoose and Nest that the package allows', () => {
    const { peerDependencies } = read('package.json') as { peerDependencies: Record<string, string> };
    const range = (versionOf: (name: string) => string, names: string[]) =>
      names
        .filter((name) => name.endsWith('lowest'))
        .map((name) => `^${versionOf(name).replace(/(\.0)+$/, '')}`)
        .join(' || ');
    const nest = (name: string) => range((lowest) => versions.nest[lowest]![name]!, Object.keys(versions.nest));
    expect(peerDependencies).toMatchObject({
      mongoose: range((lowest) => versions.mongoose[lowest]!, Object.keys(versions.mongoose)),
      '@nestjs/common': nest('common'),
      '@nestjs/core': nest('core'),
      '@nestjs/mongoose': nest('mongoose'),
    });
  });

  it('end at the mongoose and Nest that are installed', () => {
    const { packages } = read('package-lock.json') as { packages: Record<string, { version: string }> };
    const installed = (name: string) => packages[`node_modules/${name}`]!.version;
    expect(versions.mongoose['9 latest']).toBe(installed('mongoose'));
    const latest = versions.nest['12 latest']!;
    const nest = Object.keys(latest).map((name) => [name, installed(`@nestjs/${name}`)]);
    expect(latest).toEqual(Object.fromEntries(nest));
  });
});
