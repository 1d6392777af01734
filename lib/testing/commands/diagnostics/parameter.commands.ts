import { CommandError } from '../../errors.js';
import { isDoc } from '../../bson/value.js';
import type { Command } from '../command.js';
import { isGenericArgument } from '../generic-arguments.js';
import { reply } from '../reply.js';

const noOption = (): CommandError => new CommandError('InvalidOptions', 'no option found to get');

export const getParameter: Command = {
  name: 'getParameter',
  isAdminOnly: true,
  isLenient: true,
  args: {},
  run({ args, server }) {
    const target = args.get('getParameter');
    const wantsAll = target === '*' || (isDoc(target) && target.get('allParameters') === true);
    if (wantsAll) return reply(Object.fromEntries(server.parameters.all));
    const found = [...args.keys()]
      .filter((name) => name !== 'getParameter' && !isGenericArgument(name) && server.parameters.all.has(name))
      .map((name) => [name, server.parameters.all.get(name)!] as const);
    if (found.length === 0) throw noOption();
    return reply(Object.fromEntries(found));
  },
};

export const setParameter: Command = {
  name: 'setParameter',
  isAdminOnly: true,
  isLenient: true,
  args: {},
  run({ args, server }) {
    const wanted = [...args].filter(([name]) => name !== 'setParameter' && !isGenericArgument(name));
    if (wanted.length === 0)
      throw new CommandError('InvalidOptions', 'no option found to set, use help:true to see options ');
    let was;
    for (const [name, value] of wanted) {
      if (!server.parameters.all.has(name)) {
        throw new CommandError(
          'InvalidOptions',
          `attempted to set unrecognized parameter [${name}], use help:true to see options `,
        );
      }
      was ??= server.parameters.all.get(name);
      server.parameters.set(name, value);
    }
    return reply({ was });
  },
};
