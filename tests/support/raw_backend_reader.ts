import { Buffer } from "node:buffer";

/** Where the bytes of a request's body go. */
export interface ReadRequest {
  headers: ReadonlyMap<string, string>;
  whole: boolean;
  take(bytes: Buffer): void;
}

const HEAD_END = "\r\n\r\n";

/**
 * Takes one connection's bytes apart into requests. What it reads was written by our own client, whose framing has
 * tests of its own: anything else may go wrong here as it likes.
 */
export class RequestReader {
  readonly #begun: (head: string) => ReadRequest;
  #buffer: Buffer = Buffer.alloc(0);
  #request: ReadRequest | undefined;
  /** Of the body, or of the chunk under way. */
  #left = 0;
  #chunked = false;

  constructor(begun: (head: string) => ReadRequest) {
    this.#begun = begun;
  }

  read(bytes: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    while (this.#request ? this.#body(this.#request) : this.#head());
  }

  #head(): boolean {
    const end = this.#buffer.indexOf(HEAD_END);
    if (end < 0) return false;
    const head = this.#buffer.toString("latin1", 0, end);
    this.#skip(end + HEAD_END.length);
    const request = this.#begun(head);
    this.#chunked = request.headers.get("transfer-encoding") === "chunked";
    this.#left = Number(request.headers.get("content-length") ?? 0);
    this.#request = request;
    return true;
  }

  #body(request: ReadRequest): boolean {
    if (this.#left > 0) return this.#take(request);
    if (!this.#chunked) return this.#over(request);
    return this.#chunkSize(request);
  }

  #take(request: ReadRequest): boolean {
    const piece = this.#buffer.subarray(0, this.#left);
    if (piece.length === 0) return false;
    request.take(Buffer.from(piece));
    this.#left -= piece.length;
    this.#skip(piece.length);
    return true;
  }

  /** The line break that ends the chunk before belongs to this one. */
  #chunkSize(request: ReadRequest): boolean {
    const match = /^(?:\r\n)?([0-9a-f]+)\r\n/i.exec(this.#buffer.toString("latin1", 0, 32));
    if (!match) return false;
    this.#left = Number.parseInt(match[1]!, 16);
    if (this.#left === 0 && this.#buffer.length < match[0].length + 2) return false;
    this.#skip(match[0].length);
    if (this.#left > 0) return true;
    this.#skip(2);
    return this.#over(request);
  }

  #over(request: ReadRequest): boolean {
    request.whole = true;
    this.#request = undefined;
    this.#chunked = false;
    return this.#buffer.length > 0;
  }

  #skip(bytes: number): void {
    this.#buffer = this.#buffer.subarray(bytes);
  }
}
