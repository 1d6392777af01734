import type { Command } from '../command.js';
import { reply } from '../reply.js';

export const ping: Command = {
  name: 'ping',
  isInApiV1: true,
  isAuthFree: true,
  args: { ping: 'any' },
  run: () => reply({}),
};
