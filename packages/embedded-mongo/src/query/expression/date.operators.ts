import { int32, isDoc, typeName, type Doc, type Value } from '../../bson/value.js';
import { CommandError } from '../../errors.js';
import { dayOfYear, isoWeek, isoWeekday, partsOf, week, weekday } from './calendar.js';
import { instant } from './date-argument.js';
import { dateArithmeticOperators } from './date-arithmetic.operators.js';
import { dateFormatOperators } from './date-format.operators.js';
import { display } from './display.js';
import { isNullish } from './operand.js';
import { fold, type CompileContext, type Expression, type Operator, type OperatorFamily } from './operator.js';
import { timeZone, UTC } from './time-zone.js';

/** The date and time zone of an operator on a part: a date, an array of one, or `{ date, timezone }`. */
function dateAndZone(argument: Value, context: CompileContext, name: string): [Expression, Expression | undefined] {
  if (Array.isArray(argument)) {
    if (argument.length !== 1) {
      throw new CommandError(
        40536,
        `${name} accepts exactly one argument if given an array, but was given ${argument.length}`,
      );
    }
    return [context.compile(argument[0] as Value), undefined];
  }
  if (!isDoc(argument) || [...argument.keys()][0]?.startsWith('$')) return [context.compile(argument), undefined];
  return fromObject(argument, context, name);
}

function fromObject(argument: Doc, context: CompileContext, name: string): [Expression, Expression | undefined] {
  for (const field of argument.keys()) {
    if (field !== 'date' && field !== 'timezone') {
      throw new CommandError(40535, `unrecognized option to ${name}: "${field}"`);
    }
  }
  const date = argument.get('date');
  if (date === undefined) {
    throw new CommandError(40539, `missing 'date' argument to ${name}, provided: ${name}: ${display(argument)}`);
  }
  const zone = argument.get('timezone');
  return [context.compile(date), zone === undefined ? undefined : context.compile(zone)];
}

/** An operator on a part of the local time of a date. */
const part = (of: (local: number) => Value): Operator => {
  return (argument, context, name) => {
    const [date, timezone] = dateAndZone(argument, context, name);
    return fold(timezone ? [date, timezone] : [date], (scope) => {
      const value = date(scope);
      if (isNullish(value)) return null;
      const id = timezone?.(scope);
      if (timezone && isNullish(id)) return null;
      if (id !== undefined && typeof id !== 'string') {
        throw new CommandError(
          40533,
          `${name} requires a string for the timezone argument, but was given a ${typeName(id)} (${display(id)})`,
        );
      }
      const zone = id === undefined ? UTC : timeZone(id);
      const ms = instant(value);
      return of(ms + zone.offsetAt(ms));
    });
  };
};

/** Date operators: the parts of a date; arithmetic and formats are in files of their own. */
export const dateOperators: OperatorFamily = {
  $year: part((local) => int32(partsOf(local).year)),
  $month: part((local) => int32(partsOf(local).month)),
  $dayOfMonth: part((local) => int32(partsOf(local).day)),
  $dayOfWeek: part((local) => int32(weekday(local) + 1)),
  $dayOfYear: part((local) => int32(dayOfYear(local))),
  $hour: part((local) => int32(partsOf(local).hour)),
  $minute: part((local) => int32(partsOf(local).minute)),
  $second: part((local) => int32(partsOf(local).second)),
  $millisecond: part((local) => int32(partsOf(local).millisecond)),
  $week: part((local) => int32(week(local))),
  $isoDayOfWeek: part((local) => int32(isoWeekday(local))),
  $isoWeek: part((local) => int32(isoWeek(local).week)),
  $isoWeekYear: part((local) => BigInt(isoWeek(local).year)),
  ...dateArithmeticOperators,
  ...dateFormatOperators,
};
