/** The last bytes of a body of any length, copied. */
export class ByteTail {
  readonly #max: number;
  /** Up to twice what is wanted, so that not every chunk moves what is there. */
  #buffer = new Uint8Array(0);
  #length = 0;

  constructor(max: number) {
    this.#max = max;
  }

  push(chunk: Uint8Array): void {
    const part = chunk.length > this.#max ? chunk.subarray(chunk.length - this.#max) : chunk;
    if (this.#length + part.length > this.#buffer.length) this.#makeRoom(part.length);
    this.#buffer.set(part, this.#length);
    this.#length += part.length;
  }

  /** A view: valid until the next `push`. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(Math.max(0, this.#length - this.#max), this.#length);
  }

  #makeRoom(count: number): void {
    const kept = this.bytes;
    const size = Math.min(2 * this.#max, 2 * (kept.length + count));
    if (size > this.#buffer.length) this.#buffer = new Uint8Array(size);
    this.#buffer.set(kept);
    this.#length = kept.length;
  }
}
