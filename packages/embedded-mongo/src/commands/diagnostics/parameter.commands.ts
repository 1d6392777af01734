import { CommandError } from '../../errors.js';
import { type Doc, isDoc } from '../../bson/value.js';
import { ArgumentParser, boolArgument } from '../arguments.js';
import type { Command } from '../command.js';
import { isGenericArgument } from '../generic-arguments.js';
import { reply } from '../reply.js';

const OPTIONS = new ArgumentParser('getParameter', { showDetails: 'safeBool', allParameters: 'safeBool' });

export const getParameter: Command = {
  name: 'getParameter',
  isAdminOnly: true,
  isLenient: true,
  args: {},
  run({ args, server: { parameters } }) {
    const target = args.get('getParameter');
    const options: Doc = isDoc(target) ? target : new Map();
    OPTIONS.check(options);
    const wantsAll = target === '*' || boolArgument(options, 'allParameters');
    const found = [...parameters.all].filter(
      ([name]) => wantsAll || (name !== 'getParameter' && !isGenericArgument(name) && args.has(name)),
    );
    if (found.length === 0) throw new CommandError('InvalidOptions', 'no option found to get');
    const isDetailed = boolArgument(options, 'showDetails');
    return reply(
      Object.fromEntries(found.map(([name, value]) => [name, isDetailed ? parameters.detailsOf(name) : value])),
    );
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
