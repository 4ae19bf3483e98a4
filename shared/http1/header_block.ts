import { Buffer } from "node:buffer";
import { invalidResponse } from "./failure.ts";
import { CR, FIELD_VALUE_BYTES, HTAB, LF, SPACE, showByte, TOKEN_BYTES } from "./field_syntax.ts";
import type { HeaderPairs } from "./types.ts";

/** The start line, all fields and the empty line: four times what node takes, for long lists of cookies. */
export const MAX_BLOCK_BYTES = 64 * 1024;
/** Five times what Apache takes of a client; keeps the cost of one block low. */
const MAX_FIELDS = 500;
/** Of the names that a connection keeps: a peer shall not fill the memory with them. */
const MAX_KNOWN_NAME_BYTES = 40;

const COLON = 0x3a;
const NOTHING = new Uint8Array(0);

/** What stands above the fields of a block, if anything. */
export interface StartLine {
  /** A whole line, without its CRLF. */
  read(bytes: Uint8Array, start: number, end: number): void;
  /** What has come so far of one. */
  check(bytes: Uint8Array, start: number, end: number): void;
}

/**
 * Reads header fields up to the empty line, line by line (RFC 9112 5): a bad line is reported as soon as it is
 * there. A block that comes in one piece is not copied; one in pieces is put together first.
 */
export class HeaderBlock {
  readonly #startLine: StartLine | undefined;
  /** Start and end of the name and of the value of each field, counted from the block's start. */
  readonly #spans: number[] = [];
  /**
   * The names of the fields: a server repeats them from one block to the next, mostly at the same places, and one that
   * is known already needs neither a text nor a look at each of its bytes. "" for one that is not.
   */
  readonly #names: string[] = [];
  /** How many of the spans are of this block. */
  #spanned = 0;
  /** The pieces so far, when there was more than one. */
  #held: Uint8Array = NOTHING;
  #heldBytes = 0;
  /** The block, when it is complete: so many bytes of these. */
  #block: Uint8Array = NOTHING;
  #blockBytes = 0;
  /** From the block's start: where the line under way begins, and up to where its end was looked for. */
  #lineAt = 0;
  #searchedTo = 0;
  #startLineEnd = 0;

  constructor(startLine?: StartLine) {
    this.#startLine = startLine;
  }

  /**
   * Take bytes from `from` on.
   *
   * @returns the offset behind the block, or -1 when all bytes were taken and more are needed
   * @throws Http1Failure `invalid`
   */
  receive(bytes: Uint8Array, from: number): number {
    if (this.#heldBytes === 0) {
      const end = this.#scan(from === 0 ? bytes : bytes.subarray(from));
      if (end < 0) this.#hold(bytes, from);
      return end < 0 ? -1 : from + end;
    }
    const before = this.#heldBytes;
    this.#hold(bytes, from);
    const end = this.#scan(this.#held.subarray(0, this.#heldBytes));
    return end < 0 ? -1 : from + end - before;
  }

  /** The start line from an offset on, and the fields of a complete block; ready for the next one then. */
  take(startLineFrom: number): { startLine: string; fields: HeaderPairs } {
    // One decoding for the block and slices of it: a third of the cost of decoding each value.
    const text = latin1(this.#block, 0, this.#blockBytes);
    const spans = this.#spans;
    const fields: HeaderPairs = new Array(this.#spanned / 4);
    for (let at = 0, field = 0; at < this.#spanned; at += 4, field++) {
      const name = this.#names[field] || this.#readName(field, spans[at]!, spans[at + 1]!);
      fields[field] = [name, text.slice(spans[at + 2], spans[at + 3])];
    }
    const startLine = text.slice(startLineFrom, this.#startLineEnd);
    this.reset();
    return { startLine, fields };
  }

  /** A text of its own: a slice would keep all that it is a part of. */
  #readName(field: number, start: number, end: number): string {
    const name = latin1(this.#block, start, end);
    if (name.length <= MAX_KNOWN_NAME_BYTES) this.#names[field] = name;
    return name;
  }

  reset(): void {
    this.#held = this.#block = NOTHING;
    this.#spanned = this.#blockBytes = 0;
    this.#heldBytes = this.#lineAt = this.#searchedTo = this.#startLineEnd = 0;
  }

  /** Read the lines that are complete. Returns where the block ends, or -1. */
  #scan(block: Uint8Array): number {
    for (;;) {
      const lf = block.indexOf(LF, this.#searchedTo);
      if ((lf < 0 ? block.length : lf + 1) > MAX_BLOCK_BYTES) {
        throw invalidResponse(`a header block of at most ${MAX_BLOCK_BYTES} bytes`, "a longer one");
      }
      if (lf < 0) {
        this.#searchedTo = block.length;
        if (this.#lineAt === 0) this.#startLine?.check(block, 0, block.length);
        return -1;
      }
      const start = this.#lineAt;
      const end = lf - 1;
      if (block[end] !== CR) throw invalidResponse("CRLF at the end of a line", "a bare LF");
      this.#lineAt = this.#searchedTo = lf + 1;
      if (start === 0 && this.#startLine) {
        this.#startLine.read(block, 0, end);
        this.#startLineEnd = end;
      } else if (end === start) {
        this.#block = block;
        this.#blockBytes = lf + 1;
        return lf + 1;
      } else {
        this.#readField(block, start, end);
      }
    }
  }

  #readField(block: Uint8Array, start: number, end: number): void {
    if (this.#spanned === 4 * MAX_FIELDS) {
      throw invalidResponse(`at most ${MAX_FIELDS} header fields`, "more");
    }
    let at = this.#skipKnownName(block, start);
    while (TOKEN_BYTES[block[at]!]) at++;
    if (at === start && isBlank(block[at])) throw invalidResponse("a header name", "a folded line");
    if (at === start || block[at] !== COLON) throw invalidResponse("a header name", showByte(block[at]));
    const nameEnd = at++;
    while (at < end && isBlank(block[at])) at++;
    const valueStart = at;
    while (at < end && FIELD_VALUE_BYTES[block[at]!]) at++;
    if (at < end) throw invalidResponse("a header value", showByte(block[at]));
    while (at > valueStart && isBlank(block[at - 1])) at--;
    const spans = this.#spans;
    spans[this.#spanned++] = start;
    spans[this.#spanned++] = nameEnd;
    spans[this.#spanned++] = valueStart;
    spans[this.#spanned++] = at;
  }

  /** Up to where the name is the one that stood here before; that is forgotten when it is another. */
  #skipKnownName(block: Uint8Array, start: number): number {
    const field = this.#spanned / 4;
    const known = this.#names[field] ?? "";
    let length = 0;
    while (length < known.length && block[start + length] === known.charCodeAt(length)) length++;
    if (length < known.length || block[start + length] !== COLON) this.#names[field] = "";
    return start + length;
  }

  /** Keep a copy, of no more than shows that the block is too long. */
  #hold(bytes: Uint8Array, from: number): void {
    const length = Math.min(bytes.length - from, MAX_BLOCK_BYTES + 1 - this.#heldBytes);
    const needed = this.#heldBytes + length;
    if (needed > this.#held.length) {
      const larger = new Uint8Array(Math.max(1024, 2 * needed));
      larger.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = larger;
    }
    this.#held.set(bytes.subarray(from, from + length), this.#heldBytes);
    this.#heldBytes = needed;
  }
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === HTAB;
}

const { latin1Slice } = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
};

/** Each byte one character. Not `TextDecoder("latin1")`, which is Windows-1252 and changes 0x80 to 0x9f. */
function latin1(bytes: Uint8Array, start: number, end: number): string {
  return latin1Slice.call(bytes, start, end);
}
