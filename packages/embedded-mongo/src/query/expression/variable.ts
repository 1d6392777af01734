import { CommandError } from '../../errors.js';

const FIRST_OF_A_USERS = /^[a-z\u0080-\uffff]/;
const FIRST = /^[A-Za-z\u0080-\uffff]/;
const REST = /[^A-Za-z0-9_\u0080-\uffff]/;

/** @throws CommandError FailedToParse unless users may bind a variable of that name: lower case first, or `CURRENT` */
export function assertBindable(name: string): void {
  if (name !== 'CURRENT') assertName(name, FIRST_OF_A_USERS);
}

/** @throws CommandError FailedToParse unless it can be the name of a variable */
export const assertReadable = (name: string): void => assertName(name, FIRST);

function assertName(name: string, first: RegExp): void {
  if (name === '') throw new CommandError('FailedToParse', 'empty variable names are not allowed');
  if (!first.test(name)) {
    throw new CommandError('FailedToParse', `'${name}' starts with an invalid character for a user variable name`);
  }
  const wrong = REST.exec(name)?.[0];
  if (wrong !== undefined) {
    throw new CommandError('FailedToParse', `'${name}' contains an invalid character for a variable name: '${wrong}'`);
  }
}
