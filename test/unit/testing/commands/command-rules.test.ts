import { expect, it } from '@jest/globals';
import { isRuled } from '../../../../lib/testing/commands/auth/command.rules.js';
import { allCommands } from '../../../../lib/testing/commands/registry.js';

it('every command says who may run it', () => {
  expect(allCommands().filter(({ name }) => !isRuled(name))).toEqual([]);
});
