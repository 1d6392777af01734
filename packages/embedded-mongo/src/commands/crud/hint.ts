import { CommandError } from '../../errors.js';
import { isDoc, type Doc } from '../../bson/value.js';

/** The index a command or statement asks for: its name, its keys, or none. @throws CommandError FailedToParse */
export function hintOf(args: Doc): Doc | string | undefined {
  const hint = args.get('hint');
  if (typeof hint === 'string') return hint;
  if (hint != null && !isDoc(hint)) throw new CommandError('FailedToParse', 'Hint must be a string or an object');
  return hint?.size ? hint : undefined;
}
