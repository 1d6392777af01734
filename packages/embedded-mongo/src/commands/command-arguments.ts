import { ArgumentParser } from './arguments.js';
import type { Doc } from '../bson/value.js';
import type { Command } from './command.js';
import { isGenericArgument } from './generic-arguments.js';

const PARSERS = new WeakMap<Command, ArgumentParser>();

/** Checks a command's arguments, itself among them under the name it was called by. @throws CommandError */
export function checkArguments(command: Command, commandName: string, args: Doc): void {
  if (command.isLenient) return;
  let parser = PARSERS.get(command);
  if (!parser) PARSERS.set(command, (parser = new ArgumentParser(command.parsedAs ?? command.name, command.args)));
  parser.check(args, (field) => field === commandName || isGenericArgument(field));
}
