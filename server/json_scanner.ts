const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LOWER_U = 0x75;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const table = (characters: string) => {
  const flags = new Uint8Array(256);
  for (const character of characters) flags[character.charCodeAt(0)] = 1;
  return flags;
};
const SPACE = table(" \t\r\n");
const DIGIT = table("0123456789");
const HEX_DIGIT = table("0123456789abcdefABCDEF");
const EXPONENT = table("eE");
const SIGN = table("+-");
const ESCAPED = table('"\\/bfnrtu');
/** What stands for itself in a string: all but controls, the quote and the backslash. */
const PLAIN = new Uint8Array(256).fill(1).fill(0, 0, 0x20);
PLAIN[QUOTE] = 0;
PLAIN[BACKSLASH] = 0;
const LITERALS = ["true", "false", "null"].map((word) => new TextEncoder().encode(word));

/** A member of the object that is walked over, by positions in its bytes. */
export interface Member {
  /** Behind the value before it; undefined: it is the first. */
  readonly before: number | undefined;
  /** Its name, quotes included. */
  readonly nameStart: number;
  readonly nameEnd: number;
  /** Its value. */
  readonly start: number;
  readonly end: number;
  /** Where the next one's name begins; undefined: it is the last. */
  readonly next: number | undefined;
}

/** Says "no" by a position that no byte has. Each `skip…` returns the position behind what it skipped, or this. */
const NO = -1;

/**
 * Walks over JSON bytes without building anything, and takes what `JSON.parse` takes (RFC 8259). Bytes above ASCII
 * are not looked at: within strings all are fine, elsewhere none is.
 */
export class JsonScanner {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether all is one object; `visit` is told of each member that is complete, on the way. */
  object(visit: (member: Member) => void): boolean {
    const bytes = this.#bytes;
    const mark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    let at = this.#space(mark ? 3 : 0);
    if (bytes[at] !== OPEN_BRACE) return false;
    at = this.#space(at + 1);
    if (bytes[at] === CLOSE_BRACE) return this.#space(at + 1) === bytes.length;
    for (let before: number | undefined; ; ) {
      const nameStart = at;
      const nameEnd = this.#string(at);
      const start = this.#colon(nameEnd);
      const end = start === NO ? NO : this.#value(start);
      if (end === NO) return false;
      at = this.#space(end);
      // A number at the very end of what there is may go on.
      if (at === bytes.length) return false;
      const next = bytes[at] === COMMA ? this.#space(at + 1) : undefined;
      visit({ before, nameStart, nameEnd, start, end, next });
      if (next === undefined) return bytes[at] === CLOSE_BRACE && this.#space(at + 1) === bytes.length;
      before = end;
      at = next;
    }
  }

  /** Any value. Nesting is kept in a list, not on the stack, which a body full of brackets would exhaust. */
  #value(from: number): number {
    const bytes = this.#bytes;
    const open: number[] = [];
    let at = from;
    for (;;) {
      const first = bytes[at];
      const isObject = first === OPEN_BRACE;
      if (isObject || first === OPEN_BRACKET) {
        const close = isObject ? CLOSE_BRACE : CLOSE_BRACKET;
        at = this.#space(at + 1);
        if (bytes[at] !== close) {
          open.push(close);
          if (isObject) at = this.#colon(this.#string(at));
          if (at === NO) return NO;
          continue;
        }
        at++;
      } else {
        at = this.#scalar(at);
        if (at === NO) return NO;
      }
      at = this.#closeAll(at, open);
      if (at === NO || open.length === 0) return at;
      if (open[open.length - 1] === CLOSE_BRACE) at = this.#colon(this.#string(at));
      if (at === NO) return NO;
    }
  }

  /** Behind a value: leave what closes here; then to the next element, when there is one. */
  #closeAll(from: number, open: number[]): number {
    let at = from;
    while (open.length > 0) {
      at = this.#space(at);
      const next = this.#bytes[at];
      if (next === COMMA) return this.#space(at + 1);
      if (next !== open.pop()) return NO;
      at++;
    }
    return at;
  }

  #scalar(at: number): number {
    const first = this.#bytes[at]!;
    if (first === QUOTE) return this.#string(at);
    if (first === MINUS || DIGIT[first] === 1) return this.#number(at);
    for (const word of LITERALS) if (startsWith(this.#bytes, word, at)) return at + word.length;
    return NO;
  }

  #string(from: number): number {
    const bytes = this.#bytes;
    if (bytes[from] !== QUOTE) return NO;
    let at = from + 1;
    for (;;) {
      while (at < bytes.length && PLAIN[bytes[at]!] === 1) at++;
      if (bytes[at] === QUOTE) return at + 1;
      if (bytes[at] !== BACKSLASH || ESCAPED[bytes[at + 1]!] !== 1) return NO;
      const digitsEnd = bytes[at + 1] === LOWER_U ? at + 6 : at + 2;
      for (at += 2; at < digitsEnd; at++) if (HEX_DIGIT[bytes[at]!] !== 1) return NO;
    }
  }

  #number(from: number): number {
    const bytes = this.#bytes;
    const first = bytes[from] === MINUS ? from + 1 : from;
    let at = this.#digits(first);
    if (at === NO || (bytes[first] === 0x30 && at > first + 1)) return NO;
    if (bytes[at] === 0x2e) at = this.#digits(at + 1);
    if (at !== NO && EXPONENT[bytes[at]!] === 1)
      at = this.#digits(SIGN[bytes[at + 1]!] === 1 ? at + 2 : at + 1);
    return at;
  }

  /** At least one. */
  #digits(from: number): number {
    let at = from;
    while (DIGIT[this.#bytes[at]!] === 1) at++;
    return at > from ? at : NO;
  }

  /** A colon and the space round it. */
  #colon(from: number): number {
    if (from === NO) return NO;
    const at = this.#space(from);
    return this.#bytes[at] === COLON ? this.#space(at + 1) : NO;
  }

  #space(from: number): number {
    let at = from;
    while (SPACE[this.#bytes[at]!] === 1) at++;
    return at;
  }
}

function startsWith(bytes: Uint8Array, word: Uint8Array, from: number): boolean {
  return word.every((byte, at) => bytes[from + at] === byte);
}
