const [QUOTE, BACKSLASH, MINUS, ZERO] = [34, 92, 45, 48] as const;
const HEX = Buffer.from('0123456789abcdef');
const SLICE = 4096;
/** What one call may write without asking for room first: the longest fixed text around a value, and some keys. */
const HEADROOM = 512;

/** A buffer that has grown more than this is given back after use. */
const KEPT_GROWTH = 8;

/** 0 for a byte that stands for itself in a JSON string, 1 for one beyond ASCII, 2 for one that is escaped. */
const KIND = new Uint8Array(256).fill(1, 128).fill(2, 0, 32);
KIND[QUOTE] = KIND[BACKSLASH] = 2;

const SHORT_ESCAPES = new Uint8Array(32);
for (const [code, letter] of Object.entries({ 8: 'b', 9: 't', 10: 'n', 12: 'f', 13: 'r' })) {
  SHORT_ESCAPES[Number(code)] = letter.charCodeAt(0);
}

/** An output buffer for JSON text, which grows; numbers and strings go in as bytes, never as JavaScript strings. */
export class JsonTextBuffer {
  protected out: Buffer;
  protected at = 0;

  constructor(private readonly initialSize = 64 * 1024) {
    this.out = Buffer.allocUnsafeSlow(initialSize);
  }

  /** Bytes written since the last `take()`. */
  get length(): number {
    return this.at;
  }

  /** What was written, in a buffer of its own; begins anew. */
  take(): Buffer {
    const written = Buffer.allocUnsafeSlow(this.at);
    this.out.copy(written, 0, 0, this.at);
    if (this.out.length > this.initialSize * KEPT_GROWTH) this.out = Buffer.allocUnsafeSlow(this.initialSize);
    this.at = 0;
    return written;
  }

  /** Appends text as it is: punctuation, or JSON made elsewhere. */
  writeText(text: string): void {
    this.reserve(text.length * 3);
    this.at += this.out.write(text, this.at, 'utf8');
  }

  protected reserve(bytes: number): void {
    const needed = this.at + bytes + HEADROOM;
    if (needed <= this.out.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.out.length * 2));
    this.out.copy(grown, 0, 0, this.at);
    this.out = grown;
  }

  protected raw(bytes: Uint8Array): void {
    const out = this.out;
    let at = this.at;
    for (let i = 0; i < bytes.length; i++) out[at++] = bytes[i]!;
    this.at = at;
  }

  protected ascii(text: string): void {
    const out = this.out;
    let at = this.at;
    for (let i = 0; i < text.length; i++) out[at++] = text.charCodeAt(i);
    this.at = at;
  }

  /**
   * Writes `source[from, to)`, UTF-8, as the inside of a JSON string.
   * @returns whether a byte beyond ASCII was among them: then they may not be UTF-8
   */
  protected escaped(source: Uint8Array, from: number, to: number): boolean {
    let isBeyondAscii = false;
    for (let p = from; p < to;) {
      const stop = Math.min(p + SLICE, to);
      this.reserve((stop - p) * 6);
      const out = this.out;
      let at = this.at;
      for (; p < stop; p++) {
        const c = source[p]!;
        const kind = KIND[c]!;
        if (kind !== 2) {
          out[at++] = c;
          if (kind === 1) isBeyondAscii = true;
          continue;
        }
        out[at++] = BACKSLASH;
        if (c >= 32) out[at++] = c;
        else if (SHORT_ESCAPES[c] !== 0) out[at++] = SHORT_ESCAPES[c]!;
        else {
          at += out.write(c < 16 ? 'u000' : 'u001', at, 'latin1');
          out[at++] = HEX[c & 15]!;
        }
      }
      this.at = at;
    }
    return isBeyondAscii;
  }

  protected hex(source: Uint8Array, from: number, to: number): void {
    const out = this.out;
    let at = this.at;
    for (let p = from; p < to; p++) {
      const c = source[p]!;
      out[at++] = HEX[c >>> 4]!;
      out[at++] = HEX[c & 15]!;
    }
    this.at = at;
  }

  /** Digits of an integer within ±2^53. */
  protected integer(value: number): void {
    if (value < 0) {
      this.out[this.at++] = MINUS;
      value = -value;
    }
    if (value < 1e9) return this.digits(value, countDigits(value));
    const upper = Math.floor(value / 1e9);
    this.digits(upper, countDigits(upper));
    this.digits(value - upper * 1e9, 9);
  }

  private digits(value: number, count: number): void {
    const out = this.out;
    for (let i = this.at + count - 1; i >= this.at; i--) {
      const rest = (value / 10) | 0;
      out[i] = ZERO + (value - rest * 10);
      value = rest;
    }
    this.at += count;
  }
}

function countDigits(value: number): number {
  let count = 1;
  for (let bound = 10; value >= bound; bound *= 10) count++;
  return count;
}
