/** What a terminal would obey instead of showing it: control characters, and marks that turn text about or hide it. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Text for one line of output. Names of databases and collections may have anything in them; JSON stays the same JSON. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (character) =>
    Array.from({ length: character.length }, (_, i) => `\\u${hex(character.charCodeAt(i))}`).join(''),
  );

const hex = (code: number): string => code.toString(16).padStart(4, '0');
