import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync('node_modules/@nestjs/core/package.json', 'utf8')) as { version: string };

/** The major version of Nest that is installed. */
export const NEST = Number.parseInt(version);
