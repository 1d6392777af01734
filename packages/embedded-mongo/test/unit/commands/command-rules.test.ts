import { expect, it } from '@jest/globals';
import { isRuled } from '../../../src/commands/auth/command.rules.js';
import { allCommands } from '../../../src/commands/registry.js';

it('every command says who may run it', () => {
  expect(allCommands().filter(({ name }) => !isRuled(name))).toEqual([]);
});
