import { spend } from '../../bson/work.js';

/** How many decimal places the numbers of this file have: enough for 34 digits of what is small, or nearly cancelled. */
export const PLACES = 100;
/** One. */
export const UNIT = 10n ** BigInt(PLACES);

const pis = new Map<number, bigint>();

/** Pi with so many places, by Machin's formula. */
export function PI(places: number): bigint {
  let known = pis.get(places);
  if (known === undefined) {
    const unit = 10n ** BigInt(places + 10);
    known = (4n * (4n * inverseArctangent(5n, unit) - inverseArctangent(239n, unit))) / 10n ** 10n;
    if (pis.size > 100) pis.clear();
    pis.set(places, known);
  }
  return known;
}

function inverseArctangent(n: bigint, unit: bigint): bigint {
  let [term, sum, k] = [unit / n, unit / n, 1n];
  while (term !== 0n) {
    spend(1);
    term /= -n * n;
    k += 2n;
    sum += term / k;
  }
  return sum;
}

/** `sum` and all further terms, each made of the one before it. */
function series(first: bigint, next: (term: bigint, k: bigint) => bigint): bigint {
  let sum = first;
  for (let [term, k] = [first, 1n]; term !== 0n; k++) {
    term = next(term, k);
    sum += term;
  }
  spend(16);
  return sum;
}

export function sine(x: bigint): bigint {
  const square = (x * x) / UNIT;
  return series(x, (term, k) => (-term * square) / UNIT / (2n * k * (2n * k + 1n)));
}

export function cosine(x: bigint): bigint {
  const square = (x * x) / UNIT;
  return series(UNIT, (term, k) => (-term * square) / UNIT / (2n * k * (2n * k - 1n)));
}

/** The exponential, of numbers up to some hundreds: of a small part, squared again and again. */
export function exponentialOf(x: bigint): bigint {
  const HALVINGS = 12n;
  const extra = 10n ** 12n; // each squaring doubles the error
  const unit = UNIT * extra;
  const small = (x * extra) >> HALVINGS;
  let [term, sum] = [unit, unit];
  for (let k = 1n; term !== 0n; k++) {
    term = (term * small) / unit / k;
    sum += term;
  }
  for (let i = 0n; i < HALVINGS; i++) sum = (sum * sum) / unit;
  spend(16);
  return sum / extra;
}

const logarithms = new Map<bigint, bigint>();

/** The natural logarithm of a positive number, by Newton's method from the double's. */
export function logarithmOf(x: bigint): bigint {
  const known = logarithms.get(x);
  if (known !== undefined) return known;
  const digits = x.toString().length - PLACES;
  const lead = Number(`0.${x.toString().slice(0, 17)}`);
  let y = BigInt(Math.round((Math.log(lead) + digits * Math.LN10) * 1e15)) * 10n ** BigInt(PLACES - 15);
  for (let i = 0; i < 4; i++) {
    const power = exponentialOf(y);
    y += (2n * UNIT * (x - power)) / (x + power);
  }
  if (x === 10n * UNIT || x === 2n * UNIT) logarithms.set(x, y);
  return y;
}

/** The root of a number of twice as many places. */
export function root(n: bigint): bigint {
  if (n <= 0n) return 0n;
  let guess = 1n << BigInt(Math.ceil(n.toString(2).length / 2));
  for (;;) {
    const next = (guess + n / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

/** The arctangent: halved until its series is short. */
export function arctangent(x: bigint): bigint {
  let [small, halvings] = [x, 0n];
  for (; halvings < 8n; halvings++) small = (small * UNIT) / (UNIT + root(UNIT * UNIT + small * small));
  const square = (small * small) / UNIT;
  let [term, sum] = [small, small];
  for (let k = 3n; term !== 0n; k += 2n) {
    term = (-term * square) / UNIT;
    sum += term / k;
  }
  spend(16);
  return sum << halvings;
}
