import { Buffer } from "node:buffer";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { type HttpHead, HttpReader } from "./http_text.ts";

export interface HttpRequest {
  method: string;
  path: string;
  query: string;
  head: HttpHead;
  body: Buffer;
}

type Pairs = [name: string, value: string][];

const VARY: Pairs[number] = ["vary", "origin, access-control-request-method, access-control-request-headers"];
const ANY_ORIGIN: Pairs[number] = ["access-control-allow-origin", "*"];

/** One connection of a client to the stand-in of the server, with hyper's manner of writing responses. */
export class HttpConnection {
  /** The client left before its response was complete. */
  gone: (() => void) | undefined;
  readonly #reader: HttpReader;

  constructor(
    readonly socket: Socket,
    handle: (request: HttpRequest, connection: HttpConnection) => void,
  ) {
    let head: HttpHead;
    let parts: Buffer[] = [];
    this.#reader = new HttpReader("request", {
      head: (found) => {
        head = found;
        parts = [];
      },
      body: (bytes) => parts.push(bytes),
      end: () => handle({ ...requestLine(head), head, body: Buffer.concat(parts) }, this),
    });
    socket.setNoDelay(true);
    socket.on("data", this.#onData);
    for (const event of ["end", "close", "error"]) socket.on(event, this.#onGone);
  }

  /** Take the socket away from HTTP. What was read too much is in `first`. */
  detach(): { socket: Socket; first: Buffer } {
    this.socket.off("data", this.#onData);
    for (const event of ["end", "close", "error"]) this.socket.off(event, this.#onGone);
    return { socket: this.socket, first: this.#reader.takeRest() };
  }

  /** A response whose body is known. */
  whole(status: number, headers: Pairs, body: string): void {
    const length: Pairs = hasName(headers, "content-length")
      ? []
      : [["content-length", `${Buffer.byteLength(body)}`]];
    const bodiless = status === 204 || status === 304;
    this.#write(head(status, [...headers, VARY, ANY_ORIGIN, ...length, date()]) + (bodiless ? "" : body));
    const promised = headers.findLast(([name]) => name === "content-length")?.[1];
    this.gone = undefined;
    // hyper cannot keep its promise, and says so.
    if (promised !== undefined && Number(promised) !== Buffer.byteLength(body)) this.socket.end();
  }

  /** From the layer that ends a request over its time, below the one that adds the rest. */
  overtime(): void {
    this.#write(head(408, [["content-length", "0"], date()]));
    this.gone = undefined;
  }

  /** The response to a HEAD. */
  head(status: number, headers: Pairs): void {
    this.#write(head(status, [...headers, VARY, ANY_ORIGIN, date()]));
  }

  beginEventStream(): void {
    const headers: Pairs = [
      ["content-type", "text/event-stream"],
      ["cache-control", "no-cache"],
    ];
    this.#write(head(200, [...headers, VARY, ANY_ORIGIN, ["transfer-encoding", "chunked"], date()]));
  }

  chunk(text: string): void {
    if (text !== "") this.#write(`${Buffer.byteLength(text).toString(16).toUpperCase()}\r\n${text}\r\n`);
  }

  endStream(): void {
    this.#write("0\r\n\r\n");
    this.gone = undefined;
  }

  /** No response at all. */
  refuse(): void {
    this.gone = undefined;
    this.socket.end();
  }

  #write(text: string): void {
    if (!this.socket.destroyed) this.socket.write(text);
  }

  readonly #onData = (bytes: Buffer) => this.#reader.receive(bytes);

  readonly #onGone = () => {
    const { gone } = this;
    this.gone = undefined;
    this.socket.end();
    gone?.();
  };
}

export function head(status: number, headers: Pairs): string {
  const reason = STATUS_CODES[status] ?? "<none>";
  return `HTTP/1.1 ${status} ${reason}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

function hasName(headers: Pairs, name: string): boolean {
  return headers.some(([found]) => found === name);
}

function date(): Pairs[number] {
  return ["date", new Date().toUTCString()];
}

function requestLine({ firstLine }: HttpHead): { method: string; path: string; query: string } {
  const [method = "", target = ""] = firstLine.split(" ");
  const at = target.indexOf("?");
  return at < 0
    ? { method, path: target, query: "" }
    : { method, path: target.slice(0, at), query: target.slice(at + 1) };
}
