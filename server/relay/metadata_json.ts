import { type BodyChange, CLOSE_BRACE, OPEN_BRACE, withMember } from "./body_change.ts";

const SPACE = 0x20;
const QUOTE = 0x22;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;

/**
 * Puts a member at the end of the object that a JSON body is. Nothing is kept back, however long the body is: the
 * brace that closes the object is the one at which its nesting ends. What is no object passes as it came.
 */
export class MetadataJson implements BodyChange {
  readonly #member: () => string;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** The last byte that is neither space nor within a string. */
  #last = 0;
  #over = false;

  /** `member`: what is to stand in the object, `"name":value`. Asked for once, when it is written. */
  constructor(member: () => string) {
    this.#member = member;
  }

  data(chunk: Uint8Array): Uint8Array[] {
    for (let at = 0; at < chunk.length && !this.#over; at++) {
      if (!this.#closes(chunk[at]!)) continue;
      this.#over = true;
      return withMember(chunk, { at, before: this.#last, member: this.#member() });
    }
    return [chunk];
  }

  end(): Uint8Array[] {
    return [];
  }

  cut(): Uint8Array[] {
    return [];
  }

  /** Whether this byte closes the object. */
  #closes(byte: number): boolean {
    if (this.#inString) {
      this.#inString = this.#escaped || byte !== QUOTE;
      this.#escaped = !this.#escaped && byte === BACKSLASH;
      return false;
    }
    if (byte <= SPACE) return false;
    if (this.#depth === 0 && byte !== OPEN_BRACE) this.#over = true;
    if (this.#depth === 1 && byte === CLOSE_BRACE) return true;
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#depth++;
    if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#depth--;
    this.#inString = byte === QUOTE;
    this.#last = byte;
    return false;
  }
}
