import { CommandError } from '../../errors.js';
import { LATEST } from '../../storage/read-view.js';
import { docArgument, integerArgument } from '../arguments.js';
import type { Command } from '../command.js';
import { runWrite } from '../crud/write.js';
import { int, reply } from '../reply.js';
import type { ProfilingLevel } from './profiler.js';
import { PROFILE, PROFILE_OPTIONS } from './profiler.js';

/** A level out of range only asks what is set. */
export const profile: Command = {
  name: 'profile',
  args: { profile: 'number!', slowms: 'number', sampleRate: 'number', filter: 'any' },
  async run(op) {
    const { args, db } = op;
    const { profiler, storage } = op.server;
    const level = integerArgument(args, 'profile')!;
    const was = reply({
      was: int(profiler.levelOf(db)),
      slowms: int(profiler.slowMS),
      sampleRate: profiler.sampleRate,
      filter: profiler.filter,
    });
    const sampleRate = args.get('sampleRate');
    if (sampleRate !== undefined && !(Number(sampleRate) >= 0 && Number(sampleRate) <= 1)) {
      throw new CommandError('BadValue', "'sampleRate' must be between 0.0 and 1.0 inclusive");
    }
    if (level > 0 && level <= 2 && !storage.catalog.find({ db, coll: PROFILE }, LATEST)) {
      const pending = runWrite(op, (unit) => storage.catalog.create(unit, { db, coll: PROFILE }, PROFILE_OPTIONS));
      if (pending instanceof Promise) await pending;
    }
    if (level >= 0 && level <= 2) profiler.setLevel(db, level as ProfilingLevel);
    if (sampleRate !== undefined) profiler.sampleRate = Number(sampleRate);
    if (args.has('slowms')) profiler.slowMS = integerArgument(args, 'slowms')!;
    if (args.get('filter') === 'unset') profiler.filter = undefined;
    else if (args.has('filter')) profiler.filter = docArgument(args, 'filter');
    return was;
  },
};
