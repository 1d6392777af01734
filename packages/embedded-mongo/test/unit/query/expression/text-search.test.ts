import { expect, it } from '@jest/globals';
import { plainEnv } from '../../../../src/query/env.js';
import { compileDocExpression } from '../../../../src/query/expression.js';
import { searcherOf } from '../../../../src/query/expression/text.js';
import type { Value } from '../../../../src/bson/value.js';

const valueOf = (name: string, argument: Value): unknown =>
  compileDocExpression(new Map([[name, argument]]), plainEnv())(new Map());

it('a long text is found where V8 finds it', () => {
  const [text, token] = [`${'ab'.repeat(20_000)}abc${'ab'.repeat(5000)}`, `${'ab'.repeat(9000)}abc`];
  const search = searcherOf(token, text.length);
  expect(search(text, 0)).toBe(text.indexOf(token));
  expect(search(text, 22_001)).toBe(-1);
});

it.each(['a', '', 'aa', 'xyz', 'b\u{1f600}', '\u{1f600}'])(
  '$replaceAll and $split are as JavaScript has them: %j',
  (find) => {
    const text = `${'aab\u{1f600}'.repeat(3000)}a`;
    for (const input of ['', 'a', text, 'a'.repeat(4095), 'a'.repeat(4096)]) {
      for (const by of ['', '$&', 'long']) {
        const argument = new Map<string, Value>([['input', input], ['find', find], ['replacement', new Map([['$literal', by]])]]); // prettier-ignore
        expect(valueOf('$replaceAll', argument)).toBe(input.replaceAll(find, () => by));
      }
      if (find !== '') expect(valueOf('$split', [input, find])).toEqual(input.split(find));
    }
  },
);

it('$trim, $substrCP and $indexOfCP count code points', () => {
  const trim = new Map([['input', '\u{1f600}a\u{1f600}b\u{1f600}\u{1f600}'], ['chars', '\u{1f600}']]); // prettier-ignore
  expect(valueOf('$trim', trim)).toBe('a\u{1f600}b');
  expect(valueOf('$substrCP', ['\u{1f600}a\u{1f600}b', 1, 2])).toBe('a\u{1f600}');
  expect(valueOf('$substrCP', ['ab', 5, 2])).toBe('');
  expect(valueOf('$indexOfCP', ['\u{1f600}a\u{1f600}b', 'b'])).toMatchObject({ value: 3 });
  expect(valueOf('$indexOfBytes', ['\u{1f600}a\u{1f600}b', 'b'])).toMatchObject({ value: 9 });
  expect(valueOf('$indexOfCP', ['aab', 'b', 1, 2])).toMatchObject({ value: -1 });
});
