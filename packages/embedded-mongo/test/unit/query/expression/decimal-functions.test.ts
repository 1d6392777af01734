import { describe, expect, test } from '@jest/globals';
import { Decimal128 } from 'bson';
import { evaluate } from '../../../support/evaluate.js';

const decimal = (text: string): Decimal128 => Decimal128.fromString(text);
const result = (operator: string, ...operands: unknown[]): string => evaluate({ [operator]: operands.length > 1 ? operands : operands[0] }).replace('decimal ', ''); // prettier-ignore

describe('a function of a decimal has 34 digits', () => {
  // Answers of a real mongod (../shared/conformance/answers, subject numbers); where its last digit is off, the right one.
  test.each<[string, string, string]>([
    ['$sin', '0.1', '0.09983341664682815230681419841062203'],
    ['$cos', '1.10', '0.4535961214255773877713700517847161'],
    ['$cos', '0', '1.000000000000000000000000000000000'],
    ['$cos', '123456789012345678901234567890.1234', '-0.3822687374029074037850347475287246'],
    ['$tan', '0', '0E-40'],
    ['$tan', '9.999999999999999999999999999999999E+6144', '-0.6729270203682844056779140311680751'],
    ['$asin', '1', '1.570796326794896619231321691639751'],
    ['$asin', '1E-6176', '1E-6176'],
    ['$tanh', '-2.5', '-0.9866142981514302888812760392373496'],
    ['$tanh', '-0', '-0'],
    ['$exp', '-2.5', '0.08208499862389879516952867446715981'],
    ['$ln', '0.000001', '-13.81551055796427410410794872810619'],
    ['$ln', '3.5', '1.252762968495367995688120621985003'],
    ['$log10', '0.000001', '-6'],
    ['$log10', '9.999999999999999999999999999999999E+6144', '6145'],
    ['$degreesToRadians', '123456789012345678901234567890.1234', '2154727452205390502967812653.362246'],
    ['$degreesToRadians', '0', '0E-35'],
    ['$radiansToDegrees', '-2.5', '-143.2394487827058021919953870352629'],
    ['$ln', 'Infinity', 'Infinity'],
    ['$acosh', 'NaN', 'NaN'],
  ])('%s of %s', (operator, operand, expected) => {
    expect(result(operator, decimal(operand))).toBe(expected);
  });

  test('$atan2 and $pow', () => {
    expect(result('$atan2', 1, decimal('1.10'))).toBe('0.7378150601204649138136281298033902');
    expect(result('$atan2', decimal('1.10'), -Infinity)).toBe('3.141592653589793238462643383279503');
    expect(result('$atan2', decimal('3.5'), 0)).toBe('1.570796326794896619231321691639751');
    expect(result('$pow', 0.2, decimal('1.10'))).toBe('0.1702679845041569206711531845430305');
    expect(result('$pow', decimal('1'), 0)).toBe('1.000000000000000000000000000000000');
  });

  test('functions undo each other', () => {
    for (const text of ['0.7', '-0.3', '0.000000000000000001', '-0.9999999']) {
      const near = (a: string, b: string): void => expect(Math.abs(Number(a) - Number(b))).toBeLessThan(1e-15);
      for (const [there, back] of [['$sin', '$asin'], ['$tan', '$atan'], ['$sinh', '$asinh'], ['$tanh', '$atanh'], ['$exp', '$ln']]) near(result(back!, decimal(result(there!, decimal(text)))), text); // prettier-ignore
      near(result('$cos', decimal(result('$acos', decimal(text)))), text);
    }
    for (const text of ['1', '1.5', '150', '1E+300', '1E+6000']) {
      expect(result('$exp', decimal(result('$ln', decimal(text)))).slice(0, 3)).toMatch(
        /^(1\.0|9\.9|1\.5|1\.4|150|149)/,
      );
    }
    expect(result('$cosh', decimal('2')).slice(0, 12)).toBe(String(Math.cosh(2)).slice(0, 12));
    expect(result('$acosh', decimal('2')).slice(0, 12)).toBe(String(Math.acosh(2)).slice(0, 12));
  });
});
