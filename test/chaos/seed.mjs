// Random numbers that POLYMONGO_SEED gives again.

export const seed = Number(process.env.POLYMONGO_SEED ?? Math.floor(Math.random() * 2 ** 31));

let state = seed;
/** A number below `n`. */
export function below(n) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
}
