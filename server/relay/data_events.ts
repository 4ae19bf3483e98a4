const LF = 0x0a;
const CR = 0x0d;
const DATA = new TextEncoder().encode("data:");

/** Behind what a line begins with: it is searched for its end only. */
const REST = DATA.length;

/**
 * Counts the events of an event stream that carry data (WHATWG HTML, 9.2.6), wherever its chunks begin and end.
 * Comments, and events without data, are not counted. Lines end with LF or CRLF.
 */
export class DataEvents {
  count = 0;
  /** How many bytes of `data:` the line has so far, up to `REST`. */
  #line = 0;
  #hasData = false;

  feed(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#line === REST) {
        const end = chunk.indexOf(LF, at);
        if (end === -1) return;
        this.#line = 0;
        at = end + 1;
      } else this.#begin(chunk[at++]!);
    }
  }

  #begin(byte: number): void {
    if (byte === DATA[this.#line]) {
      this.#line++;
      if (this.#line === REST) this.#hasData = true;
    } else if (byte === LF) {
      if (this.#line === 0) this.#eventEnds();
      this.#line = 0;
    } else if (byte !== CR || this.#line > 0) this.#line = REST;
  }

  #eventEnds(): void {
    if (this.#hasData) this.count++;
    this.#hasData = false;
  }
}
