/** How the steps of a backtracking search grow with the length of the text. */
export interface RegexCost {
  /** The exponent, in bits for each character, where repetitions stand in repetitions. */
  readonly exponential: number;
  /** The degree of the polynomial otherwise. */
  readonly degree: number;
  /** The choices that do not depend on the text, in bits. */
  readonly choices: number;
}

/** What every search may take without being watched, in bits of steps. */
const UNWATCHED_BITS = 24;

/** Whether a search may take so long that it has to be watched. */
export const isRisky = ({ exponential, degree, choices }: RegexCost, length: number): boolean =>
  exponential * length + degree * Math.log2(length + 1) + choices > UNWATCHED_BITS;

interface Quantifier {
  readonly isVariable: boolean;
  readonly isOptional: boolean;
  readonly times: number;
}

/** An upper bound for a JavaScript regular expression's source: it may watch too many, never too few. */
class CostReader {
  private at = 0;

  constructor(private readonly source: string) {}

  read(): RegexCost {
    const cost = this.alternatives();
    return this.source.startsWith('^') ? cost : { ...cost, degree: cost.degree + 1 };
  }

  private alternatives(): RegexCost {
    let [exponential, degree, choices, count] = [0, 0, 0, 1];
    for (;;) {
      const branch = this.sequence();
      exponential = Math.max(exponential, branch.exponential);
      degree = Math.max(degree, branch.degree);
      choices = Math.max(choices, branch.choices);
      if (this.source[this.at] !== '|') break;
      this.at++;
      count++;
    }
    return { exponential, degree, choices: choices + Math.log2(count) };
  }

  private sequence(): RegexCost {
    let [exponential, degree, choices] = [0, 0, 0];
    while (this.at < this.source.length && this.source[this.at] !== '|' && this.source[this.at] !== ')') {
      const item = quantified(this.atom(), this.quantifier());
      exponential += item.exponential;
      degree += item.degree;
      choices += item.choices;
    }
    return { exponential, degree, choices };
  }

  private atom(): RegexCost {
    const char = this.source[this.at++];
    if (char === '\\') return this.escape();
    if (char === '[') this.skipClass();
    if (char !== '(') return NOTHING;
    const opening = /^\?(?:[:=!]|<[=!]|<[^>]*>)/.exec(this.source.slice(this.at, this.at + 300));
    this.at += opening?.[0].length ?? 0;
    const inner = this.alternatives();
    this.at++; // the parenthesis that closes it
    return inner;
  }

  /** Comparing with a group takes as long as the group is. */
  private escape(): RegexCost {
    const char = this.source[this.at++] ?? '';
    return /[1-9k]/.test(char) ? { ...NOTHING, degree: 1 } : NOTHING;
  }

  private skipClass(): void {
    for (; this.at < this.source.length && this.source[this.at] !== ']'; this.at++) {
      if (this.source[this.at] === '\\') this.at++;
    }
    this.at++;
  }

  private quantifier(): Quantifier | undefined {
    const found = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/.exec(this.source.slice(this.at, this.at + 40));
    if (!found) return undefined;
    this.at += found[0].length;
    if (found[0].startsWith('?')) return { isVariable: false, isOptional: true, times: 1 };
    if (!found[0].startsWith('{')) return { isVariable: true, isOptional: false, times: 1 };
    const [least, most] = [Number(found[1]), found[2] ? Number(found[3] || Infinity) : Number(found[1])];
    return { isVariable: most > least, isOptional: false, times: Math.max(1, least) };
  }
}

const NOTHING: RegexCost = { exponential: 0, degree: 0, choices: 0 };

function quantified(atom: RegexCost, quantifier: Quantifier | undefined): RegexCost {
  if (!quantifier) return atom;
  const { isVariable, isOptional, times } = quantifier;
  if (isOptional) return { ...atom, choices: atom.choices + 1 };
  if (!isVariable) {
    return { exponential: atom.exponential * times, degree: atom.degree * times, choices: atom.choices * times };
  }
  const hasChoice = atom.exponential > 0 || atom.degree > 0 || atom.choices > 0;
  if (!hasChoice) return { ...NOTHING, degree: 1 };
  return { exponential: atom.exponential + atom.degree + Math.max(1, atom.choices), degree: 1, choices: 0 };
}

export const costOf = (source: string): RegexCost => new CostReader(source).read();
