import { expect } from '@jest/globals';
import { compileDocExpression } from '../../src/query/expression.js';
import { plainEnv, type QueryEnv } from '../../src/query/env.js';
import { CommandError } from '../../src/errors.js';
import { doc, show, value } from './bson-values.js';

/** The result of an expression on a document, as text that tells its types. */
export const evaluate = (expression: unknown, on: object = {}, env: Partial<QueryEnv> = {}): string =>
  show(compileDocExpression(value(expression), { ...plainEnv(), ...env })(doc(on)));

/** Expects each expression to give the result next to it. */
export function expectAll(cases: readonly (readonly [expression: unknown, result: string, on?: object])[]): void {
  expect(cases.map(([expression, , on]) => evaluate(expression, on))).toEqual(cases.map(([, result]) => result));
}

/** The code and message of the error an action throws. */
export function errorOf(action: () => unknown): readonly [code: number, message: string] {
  try {
    action();
  } catch (error) {
    if (error instanceof CommandError) return [error.code, error.message];
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** Expects each expression to fail with the code next to it. */
export function expectErrors(cases: readonly (readonly [expression: unknown, code: number, on?: object])[]): void {
  const codes = cases.map(([expression, , on]) => errorOf(() => evaluate(expression, on))[0]);
  expect(codes).toEqual(cases.map(([, code]) => code));
}
