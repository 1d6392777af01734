/** Between these stands what is to be seen nowhere, not even in part. */
export const PIECE = /zq\d+x/i;

/** Where texts are quoted, cut or escaped, and a secret could end in the eyes of who looks for it. */
const SPECIAL = '" \' ` @ / ? % %25 %0A & = : # [ ] \\ < > { } , ; $ $& ^ | é 😀 *** ***:***@ mongodb:// \0'.split(' ');
SPECIAL.push(' ', '\t', '\n', '\r\n');

/** @param random numbers in [0, 1) */
export function makeCanaries(random: () => number) {
  let pieces = 0;
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)]!;
  const secret = () => {
    let text = `zq${pieces++}x`;
    for (let n = Math.floor(random() * 4); n >= 0; n--) text += `${pick(SPECIAL)}zq${pieces++}x`;
    return text;
  };
  return { pick, secret };
}
