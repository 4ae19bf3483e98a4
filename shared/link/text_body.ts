/** A body that must be text: bytes in any pieces, a character may be cut by a border. */
export class TextBody {
  /** Bytes that were added. */
  bytes = 0;
  #text = "";
  // A byte order mark is part of the body.
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  /** False: this is not UTF-8, and the body is of no further use. */
  add(bytes: Uint8Array): boolean {
    this.bytes += bytes.length;
    return this.#decode(bytes, true);
  }

  /** No more bytes come. False: the last character is incomplete. */
  end(): boolean {
    return this.#decode(new Uint8Array(), false);
  }

  /** The text decoded since the last call. */
  take(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }

  #decode(bytes: Uint8Array, stream: boolean): boolean {
    try {
      this.#text += this.#decoder.decode(bytes, { stream });
      return true;
    } catch {
      return false;
    }
  }
}
