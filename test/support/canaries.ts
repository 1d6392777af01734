/** Between these stands what is to be seen nowhere, not even in part. */
export const PIECE = /zq\d+x/i;

/** Where texts are quoted, cut or escaped, and a secret could end in the eyes of who looks for it. */
const SPECIAL = '" \' ` @ / ? % %25 %0A & = : # [ ] \\ < > { } , ; $ $& ^ | é 😀 *** ***:***@ mongodb:// \0'.split(' ');
SPECIAL.push(' ', '\t', '\n', '\r\n');

/** What SASLprep refuses in a password (RFC 4013, section 2.3) or knows no letter of. */
const UNPREPARED = /[\0\t\n\r]|\p{Extended_Pictographic}/u;

/** @param random numbers in [0, 1) */
export function makeCanaries(random: () => number) {
  let pieces = 0;
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)]!;
  const secret = () => {
    let text = `zq${pieces++}x`;
    for (let n = Math.floor(random() * 4); n >= 0; n--) text += `${pick(SPECIAL)}zq${pieces++}x`;
    return text;
  };
  /** One that a server can have as a password. */
  const password = (): string => {
    for (;;) {
      const text = secret();
      if (!UNPREPARED.test(text)) return text;
    }
  };
  /** Of a user name the driver escapes the first "," and "=" only (its `cleanUsername`). */
  const username = (): string => password().replace(/[,=]/g, '');
  return { pick, secret, password, username };
}
