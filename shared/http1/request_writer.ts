import { FIELD_VALUE_BYTES, isNamed, TARGET_BYTES, TOKEN_BYTES } from "./field_syntax.ts";
import type { Destination } from "./origin.ts";
import { takeBytes } from "./spare_bytes.ts";
import { Http1Failure, type Http1RequestHead, type RequestBody } from "./types.ts";

/** Methods whose absence of a body has to be said (RFC 9110 8.6): some servers wait for one otherwise. */
const METHODS_WITH_BODY = new Set(["POST", "PUT", "PATCH"]);

/** Behind the target, with its blank. */
const VERSION = " HTTP/1.1\r\n";
const ANY_BYTES = new Uint8Array(256).fill(1);
const NOTHING = new Uint8Array(0);
const LAST_CHUNK = new TextEncoder().encode("0\r\n\r\n");
const encoder = new TextEncoder();

/**
 * The bytes of a request head, with `firstBytes` of the body behind it: what is sent together goes out in one
 * packet. Nothing is added but `Host` and the framing. They are of `takeBytes`.
 *
 * @throws Http1Failure `local` when the head cannot be written as HTTP/1.1 without being read as something else
 */
export function writeHead(
  to: Destination,
  head: Http1RequestHead,
  body: RequestBody,
  firstBytes: Uint8Array = NOTHING,
): Uint8Array {
  const { method, target, headers } = head;
  const { hostLine } = to;
  const framing = framingLines(method, body);
  let length = method.length + 1 + target.length + VERSION.length + hostLine.length + framing.length;
  for (const [name, value] of headers) length += name.length + value.length + 4;
  const written = new HeadBytes(length + firstBytes.length);
  // CONNECT has no path, and what follows its answer is no HTTP.
  if (method === "" || method === "CONNECT" || !written.put(method, TOKEN_BYTES))
    throw misuse("the method", "a method with a path");
  written.put(" ");
  if (target[0] !== "/" || !written.put(target, TARGET_BYTES))
    throw misuse("the target", "a path in visible ASCII");
  if (hostLine === "") throw misuse("the host", "a name or an address");
  written.put(VERSION);
  written.put(hostLine);
  for (const [name, value] of headers) writeField(written, name, value);
  if (!isLength(body)) throw misuse("the body length", "a number of bytes");
  written.put(framing);
  if (firstBytes.length > 0) written.bytes.set(firstBytes, written.at);
  return written.bytes;
}

function writeField(written: HeadBytes, name: string, value: string): void {
  if (name === "" || !written.put(name, TOKEN_BYTES)) throw misuse("a header name", "a token");
  written.put(": ");
  if (!written.put(value, FIELD_VALUE_BYTES))
    throw misuse(`header ${name}`, "a Latin-1 value without control characters");
  if (isOwnField(name)) throw misuse(`header ${name}`, "it to be left to the client");
  written.put("\r\n");
}

/** With the empty line that ends the head. */
function framingLines(method: string, body: RequestBody): string {
  if (body === "chunked") return "Transfer-Encoding: chunked\r\n\r\n";
  if (body === "none") return METHODS_WITH_BODY.has(method) ? "Content-Length: 0\r\n\r\n" : "\r\n";
  return `Content-Length: ${body.length}\r\n\r\n`;
}

function isLength(body: RequestBody): boolean {
  return typeof body === "string" || (Number.isSafeInteger(body.length) && body.length >= 0);
}

/** One that frames a message or belongs to the connection: written here, refused from a caller. */
function isOwnField(name: string): boolean {
  return (
    isNamed(name, "host") ||
    isNamed(name, "connection") ||
    isNamed(name, "content-length") ||
    isNamed(name, "transfer-encoding")
  );
}

/**
 * Text as bytes, each character one, checked on the way: cheaper than a text that is put together, matched and
 * encoded.
 */
class HeadBytes {
  readonly bytes: Uint8Array;
  at = 0;

  constructor(length: number) {
    this.bytes = takeBytes(length);
  }

  /** @returns false when a character is not `allowed`, as none beyond Latin-1 is */
  put(text: string, allowed: Uint8Array = ANY_BYTES): boolean {
    const { bytes, at } = this;
    for (let n = 0; n < text.length; n++) {
      const code = text.charCodeAt(n);
      if (!allowed[code]) return false;
      bytes[at + n] = code;
    }
    this.at = at + text.length;
    return true;
  }
}

/** Frames a request body as its head promised. */
export class BodyWriter {
  readonly #chunked: boolean;
  #remainingBytes: number;

  constructor(body: RequestBody) {
    this.#chunked = body === "chunked";
    this.#remainingBytes = typeof body === "object" ? body.length : 0;
  }

  /**
   * What to send for these bytes, which are not empty; may be the same array.
   *
   * @throws Http1Failure `local` when they are more than was promised
   */
  data(bytes: Uint8Array): Uint8Array {
    if (this.#chunked) return chunk(bytes);
    if (bytes.length > this.#remainingBytes)
      throw misuse("the body", `at most ${this.#remainingBytes} more bytes`);
    this.#remainingBytes -= bytes.length;
    return bytes;
  }

  /**
   * What to send behind the last of the body; may be empty.
   *
   * @throws Http1Failure `local` when less was sent than was promised
   */
  end(): Uint8Array {
    if (this.#chunked) return LAST_CHUNK;
    if (this.#remainingBytes > 0) throw misuse("the end of the body", `${this.#remainingBytes} more bytes`);
    return NOTHING;
  }
}

/** One array, so that a chunk is one write: a copy costs less than two more system calls. */
function chunk(bytes: Uint8Array): Uint8Array {
  const size = encoder.encode(`${bytes.length.toString(16)}\r\n`);
  const framed = new Uint8Array(size.length + bytes.length + 2);
  framed.set(size);
  framed.set(bytes, size.length);
  framed.set([0x0d, 0x0a], size.length + bytes.length);
  return framed;
}

/** Values are not shown: they may be secrets. */
function misuse(what: string, wanted: string): Http1Failure {
  return new Http1Failure("local", `Cannot write ${what} of a request: wanted ${wanted}`);
}
