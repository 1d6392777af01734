/**
 * What a test's random choices come from: another one each run, unless POLYMONGO_SEED says which. It is always printed,
 * for who looks at a run afterwards.
 * @param of the test, as its file is called
 */
export function printedSeed(of: string): number {
  const seed = Number(process.env.POLYMONGO_SEED ?? Math.floor(Math.random() * 1e9));
  process.stdout.write(`POLYMONGO_SEED=${seed} (${of})\n`);
  return seed;
}
