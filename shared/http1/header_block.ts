import { Buffer } from "node:buffer";
import { invalidResponse } from "./failure.ts";
import { CR, FIELD_VALUE_BYTES, HTAB, LF, SPACE, showByte, TOKEN_BYTES } from "./field_syntax.ts";
import type { HeaderPairs } from "./types.ts";

/** The start line, all fields and the empty line: four times what node takes, for long lists of cookies. */
export const MAX_BLOCK_BYTES = 64 * 1024;
/** Five times what Apache takes of a client; keeps the cost of one block low. */
const MAX_FIELDS = 500;

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
  /** The pieces so far, when there was more than one. */
  #held: Uint8Array = NOTHING;
  #heldBytes = 0;
  /** The block, when it is complete. */
  #block: Uint8Array = NOTHING;
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

  /** The start line and the fields of a complete block; ready for the next one then. */
  take(): { startLine: string; fields: HeaderPairs } {
    // One decoding for the block and slices of it: a third of the cost of decoding each value.
    const text = latin1(this.#block);
    const spans = this.#spans;
    const fields: HeaderPairs = new Array(spans.length / 4);
    for (let at = 0, field = 0; at < spans.length; at += 4, field++) {
      fields[field] = [text.slice(spans[at], spans[at + 1]), text.slice(spans[at + 2], spans[at + 3])];
    }
    const startLine = text.slice(0, this.#startLineEnd);
    this.reset();
    return { startLine, fields };
  }

  reset(): void {
    this.#spans.length = 0;
    this.#held = this.#block = NOTHING;
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
        this.#block = block.subarray(0, lf + 1);
        return lf + 1;
      } else {
        this.#readField(block, start, end);
      }
    }
  }

  #readField(block: Uint8Array, start: number, end: number): void {
    if (this.#spans.length === 4 * MAX_FIELDS) {
      throw invalidResponse(`at most ${MAX_FIELDS} header fields`, "more");
    }
    let at = start;
    while (TOKEN_BYTES[block[at]!]) at++;
    if (at === start && isBlank(block[at])) throw invalidResponse("a header name", "a folded line");
    if (at === start || block[at] !== COLON) throw invalidResponse("a header name", showByte(block[at]));
    const nameEnd = at++;
    while (at < end && isBlank(block[at])) at++;
    const valueStart = at;
    while (at < end && FIELD_VALUE_BYTES[block[at]!]) at++;
    if (at < end) throw invalidResponse("a header value", showByte(block[at]));
    while (at > valueStart && isBlank(block[at - 1])) at--;
    this.#spans.push(start, nameEnd, valueStart, at);
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

/** Each byte one character. Not `TextDecoder("latin1")`, which is Windows-1252 and changes 0x80 to 0x9f. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
