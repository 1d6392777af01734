import { InvalidJsonError } from './codec.errors.js';
import { INCOMPLETE } from './json-cursor.js';

const [QUOTE, COMMA, NEWLINE, RETURN, SPACE, TAB] = [34, 44, 10, 13, 32, 9] as const;

/** Each costs memory, in a row of any length. */
const MAX_FIELDS = 10_000;

/**
 * A row of CSV (RFC 4180) with what Go's encoding/csv, which mongoimport and mongoexport are made with, adds: white space
 * before a field is left out, and a row ends with `\n` or `\r\n`.
 */
export class CsvRow {
  readonly fields: Buffer[] = [];
  /** Behind the row and its line's end. */
  position: number;

  /**
   * @param text the row begins at `start`
   * @param isWhole whether there comes no more of the text
   * @throws INCOMPLETE; InvalidJsonError with what is wrong with the quotes
   */
  constructor(
    private readonly text: Buffer,
    start: number,
    private readonly end: number,
    private readonly isWhole: boolean,
  ) {
    this.position = start;
    while (this.field()) {
      if (this.fields.length === MAX_FIELDS)
        throw new InvalidJsonError(`a row of more than ${MAX_FIELDS} fields`, start);
    }
  }

  /** Whether there is nothing in it. */
  get isBlank(): boolean {
    return this.fields.length === 1 && this.fields[0]!.length === 0;
  }

  /** Reads a field and what ends it; whether another follows. */
  private field(): boolean {
    const { text, end } = this;
    let at = this.position;
    while (at < end && (text[at] === SPACE || text[at] === TAB)) at++;
    if (at >= end && !this.isWhole) throw INCOMPLETE;
    return text[at] === QUOTE && at < end ? this.quoted(at + 1) : this.plain(at);
  }

  private plain(start: number): boolean {
    const { text, end } = this;
    let at = start;
    for (; at < end && text[at] !== COMMA && text[at] !== NEWLINE; at++) {
      if (text[at] === QUOTE) throw new InvalidJsonError('a quote inside a field that does not begin with one', at);
    }
    if (at >= end && !this.isWhole) throw INCOMPLETE;
    const isAtReturn = at > start && text[at - 1] === RETURN && text[at] !== COMMA;
    this.fields.push(text.subarray(start, isAtReturn ? at - 1 : at));
    return this.separator(at);
  }

  private quoted(start: number): boolean {
    const { text, end } = this;
    let hasEscapes = false;
    for (let at = text.indexOf(QUOTE, start); ; at = text.indexOf(QUOTE, at + 2)) {
      if (at < 0 || at >= end) {
        if (!this.isWhole) throw INCOMPLETE;
        throw new InvalidJsonError('a quote is not closed', start - 1);
      }
      if (at + 1 >= end && !this.isWhole) throw INCOMPLETE;
      if (text[at + 1] === QUOTE && at + 1 < end) {
        hasEscapes = true;
        continue;
      }
      const field = text.subarray(start, at);
      this.fields.push(hasEscapes ? Buffer.from(field.toString('latin1').replaceAll('""', '"'), 'latin1') : field);
      return this.afterQuote(at + 1);
    }
  }

  private afterQuote(at: number): boolean {
    const { text, end } = this;
    if (text[at] === RETURN && at + 1 >= end && !this.isWhole) throw INCOMPLETE;
    const next = text[at] === RETURN && (at + 1 >= end || text[at + 1] === NEWLINE) ? at + 1 : at;
    if (next < end && text[next] !== COMMA && text[next] !== NEWLINE) {
      throw new InvalidJsonError('text follows the closing quote of a field', at);
    }
    return this.separator(next);
  }

  private separator(at: number): boolean {
    this.position = Math.min(at + 1, this.end);
    return at < this.end && this.text[at] === COMMA;
  }
}
