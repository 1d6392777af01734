import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as unknown;

describe('the versions that the models are tested on', () => {
  const versions = read('test/conformance/versions.json') as {
    mongoose: Record<string, string>;
    nest: Record<string, object>;
    corners: { mongoose: string; nest: string }[];
  };

  it('are all run by the shard "matrix"', () => {
    const { matrix } = read('test/shards.json') as { matrix: { command: string[] }[] };
    const cells = Object.keys(versions.mongoose).flatMap((m) => Object.keys(versions.nest).map((n) => [m, n]));
    expect(matrix.map(({ command }) => command.slice(2))).toEqual(cells);
  });

  it('begin at the lowest mongoose that the package allows', () => {
    const { peerDependencies } = read('package.json') as { peerDependencies: { mongoose: string } };
    const lowest = Object.entries(versions.mongoose)
      .filter(([name]) => name.endsWith('lowest'))
      .map(([, version]) => `^${version.replace(/(\.0)+$/, '')}`);
    expect(peerDependencies.mongoose).toBe(lowest.join(' || '));
  });

  it('end at the mongoose and Nest that are installed', () => {
    const { packages } = read('package-lock.json') as { packages: Record<string, { version: string }> };
    const installed = (name: string) => packages[`node_modules/${name}`]!.version;
    expect(versions.mongoose['9 latest']).toBe(installed('mongoose'));
    const nest = Object.keys(versions.nest['12']!).map((name) => [name, installed(`@nestjs/${name}`)]);
    expect(versions.nest['12']).toEqual(Object.fromEntries(nest));
  });
});
