// How benchmarks print: one line a figure, with the bound it has to keep where there is one.
export const section = (title) => console.log(`\n${title}`);

/** Prints a figure; one that misses its bound makes the run fail. */
export function row(name, figure, bound, isKept) {
  console.log(`  ${name.padEnd(30)} ${figure}${bound ? `   [${bound}: ${isKept ? 'kept' : 'MISSED'}]` : ''}`);
  if (bound && !isKept) process.exitCode = 1;
}
