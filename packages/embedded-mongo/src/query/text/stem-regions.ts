/** Where the region after the first non-vowel that follows a vowel begins, looking from `from` on (Snowball's R1, R2). */
export function regionAfter(word: string, vowels: string, from = 0): number {
  let i = from;
  while (i < word.length && !vowels.includes(word[i] as string)) i++;
  while (i < word.length && vowels.includes(word[i] as string)) i++;
  return Math.min(i + 1, word.length);
}
