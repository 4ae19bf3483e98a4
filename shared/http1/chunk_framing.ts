import { invalidResponse } from "./failure.ts";
import { CR, FIELD_VALUE_BYTES, HTAB, LF, SPACE, showByte } from "./field_syntax.ts";
import { HeaderBlock } from "./header_block.ts";

/**
 * A chunk's size and its extensions. Extensions are thrown away; the longest in use, the chunk signatures of
 * object stores, have about 90 bytes.
 */
const MAX_SIZE_LINE_BYTES = 4096;

const SEMICOLON = 0x3b;

/** The digit that a byte stands for, or 255. */
const HEX_DIGITS = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = "0123456789abcdef".indexOf(String.fromCharCode(byte).toLowerCase());
  return digit < 0 ? 255 : digit;
});

type Step = "size" | "digits" | "blank" | "extension" | "size_lf" | "data" | "data_lf" | "trailers" | "done";

/**
 * What stands between the data of a chunked body (RFC 9112 7.1). Whoever uses it takes `dataBytes` of data
 * whenever there are any, and calls `skip` otherwise, until it is `done`.
 */
export class ChunkFraming {
  /** Data bytes still to come of the current chunk. */
  dataBytes = 0;
  #step: Step = "size";
  #lineBytes = 0;
  #size = 0;
  readonly #trailers = new HeaderBlock();

  get done(): boolean {
    return this.#step === "done";
  }

  reset(): void {
    this.dataBytes = this.#lineBytes = this.#size = 0;
    this.#step = "size";
    this.#trailers.reset();
  }

  /**
   * Read framing from `at` to the next data byte, the end of the body or the end of the bytes.
   *
   * @returns the offset behind what was read
   * @throws Http1Failure `invalid`
   */
  skip(bytes: Uint8Array, at: number): number {
    let next = at;
    while (next < bytes.length) {
      if (this.#step === "trailers") return this.#skipTrailers(bytes, next);
      this.#take(bytes[next++]!);
      if (this.dataBytes > 0) break;
    }
    return next;
  }

  /** One byte of a size line, or of the line end behind a chunk's data. */
  #take(byte: number): void {
    switch (this.#step) {
      case "size":
      case "digits": {
        const digit = HEX_DIGITS[byte]!;
        if (digit !== 255) return this.#takeDigit(digit);
        if (this.#step === "size") throw invalidResponse("a chunk size", showByte(byte));
        return this.#endDigits(byte);
      }
      case "blank":
        if (byte !== SEMICOLON && byte !== SPACE && byte !== HTAB) {
          throw invalidResponse("a chunk extension", showByte(byte));
        }
        if (byte === SEMICOLON) this.#step = "extension";
        return this.#countLine();
      case "extension":
        if (byte === CR) return this.#expect("size_lf");
        if (!FIELD_VALUE_BYTES[byte]) throw invalidResponse("a chunk extension", showByte(byte));
        return this.#countLine();
      case "size_lf":
        if (byte !== LF) throw invalidResponse("LF behind a chunk size", showByte(byte));
        return this.#endSizeLine();
      case "data":
        if (byte !== CR) throw invalidResponse("CR behind the data of a chunk", showByte(byte));
        return this.#expect("data_lf");
      case "data_lf":
        if (byte !== LF) throw invalidResponse("LF behind the data of a chunk", showByte(byte));
        return this.#expect("size");
    }
  }

  #expect(step: Step): void {
    this.#step = step;
  }

  #takeDigit(digit: number): void {
    this.#size = 16 * this.#size + digit;
    if (!Number.isSafeInteger(this.#size)) throw invalidResponse("a chunk size below 2^53", "a larger one");
    this.#step = "digits";
    this.#countLine();
  }

  #endDigits(byte: number): void {
    if (byte === CR) return this.#expect("size_lf");
    if (byte === SEMICOLON) return this.#expect("extension");
    if (byte === SPACE || byte === HTAB) return this.#expect("blank");
    throw invalidResponse("the end of a chunk size", showByte(byte));
  }

  #countLine(): void {
    if (++this.#lineBytes <= MAX_SIZE_LINE_BYTES) return;
    throw invalidResponse(`a chunk size line of at most ${MAX_SIZE_LINE_BYTES} bytes`, "a longer one");
  }

  #endSizeLine(): void {
    this.dataBytes = this.#size;
    this.#step = this.#size > 0 ? "data" : "trailers";
    this.#size = this.#lineBytes = 0;
  }

  /** Trailers are checked like a header block and dropped: neither runtime could show them to a client. */
  #skipTrailers(bytes: Uint8Array, at: number): number {
    const end = this.#trailers.receive(bytes, at);
    if (end < 0) return bytes.length;
    this.#trailers.reset();
    this.#step = "done";
    return end;
  }
}
