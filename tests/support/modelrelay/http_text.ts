import { Buffer } from "node:buffer";

/** A head as it stood on the wire: the first line, and names in lower case with their values in order. */
export interface HttpHead {
  firstLine: string;
  headers: [name: string, value: string][];
}

export interface HttpHandlers {
  head(head: HttpHead): void;
  body(bytes: Buffer): void;
  end(): void;
}

/** The last value of a field, as a map of ModelRelay keeps it. `name` in lower case. */
export function lastValue(head: HttpHead, name: string): string | undefined {
  return head.headers.findLast(([found]) => found === name)?.[1];
}

/**
 * Takes HTTP/1.1 messages off a connection, one after the other: just enough of it for the stand-ins, whose peers
 * are the project's own programs and the runtimes' clients.
 */
export class HttpReader {
  #rest = Buffer.alloc(0);
  #state: "head" | "length" | "close" | "chunk_size" | "chunk" | "trailer" = "head";
  #left = 0;

  /** `response`: a body without a length lasts until the connection closes; without a body for these statuses. */
  constructor(
    readonly kind: "request" | "response",
    readonly handlers: HttpHandlers,
  ) {}

  /** What was received and belongs to nothing yet; empties it. For an upgrade. */
  takeRest(): Buffer {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest;
  }

  /** The connection ended. True: that ended a message as it should. */
  closed(): boolean {
    if (this.#state === "close") this.#end();
    return this.#state === "head" && this.#rest.length === 0;
  }

  receive(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#step());
  }

  #step(): boolean {
    if (this.#state === "head") return this.#line("\r\n\r\n", (text) => this.#onHead(text));
    if (this.#state === "chunk_size") return this.#line("\r\n", (text) => this.#onChunkSize(text));
    if (this.#state === "trailer") return this.#line("\r\n", (text) => text === "" && this.#end());
    if (this.#rest.length === 0) return false;
    if (this.#state === "close") {
      this.handlers.body(this.takeRest());
      return false;
    }
    return this.#onBody();
  }

  #line(end: string, take: (text: string) => void): boolean {
    const at = this.#rest.indexOf(end);
    if (at < 0) return false;
    const text = this.#rest.subarray(0, at).toString("latin1");
    this.#rest = this.#rest.subarray(at + end.length);
    take(text);
    return true;
  }

  #onHead(text: string): void {
    const [firstLine = "", ...lines] = text.split("\r\n");
    const headers = lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    });
    const head = { firstLine, headers };
    this.#left = Number(lastValue(head, "content-length") ?? 0);
    if (lastValue(head, "transfer-encoding")?.toLowerCase() === "chunked") this.#state = "chunk_size";
    else if (this.kind === "response" && hasBodyUntilClose(head)) this.#state = "close";
    else this.#state = "length";
    if (/^HTTP\/1\.1 (1|204|304)/.test(firstLine)) [this.#state, this.#left] = ["length", 0];
    this.handlers.head(head);
    if (this.#state === "length" && this.#left === 0) this.#end();
  }

  #onChunkSize(text: string): void {
    this.#left = Number.parseInt(text, 16);
    this.#state = this.#left === 0 ? "trailer" : "chunk";
  }

  #onBody(): boolean {
    const bytes = this.#rest.subarray(0, this.#left);
    // The line end of a chunk is waited for with its last byte.
    const end = this.#state === "chunk" && bytes.length === this.#left ? 2 : 0;
    if (this.#rest.length < bytes.length + end) return false;
    this.#rest = this.#rest.subarray(bytes.length + end);
    this.#left -= bytes.length;
    this.handlers.body(Buffer.from(bytes));
    if (this.#left > 0) return true;
    if (this.#state === "chunk") this.#state = "chunk_size";
    else this.#end();
    return true;
  }

  #end(): void {
    this.#state = "head";
    this.handlers.end();
  }
}

function hasBodyUntilClose(head: HttpHead): boolean {
  return lastValue(head, "content-length") === undefined;
}
