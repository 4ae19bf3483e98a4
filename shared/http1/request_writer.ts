import { isFieldValue, isToken } from "./field_syntax.ts";
import { Http1Failure, type Http1RequestHead, type Origin, type RequestBody } from "./types.ts";

/** The fields that frame a message or belong to the connection: written here, refused from a caller. */
const OWN_FIELDS = new Set(["host", "connection", "content-length", "transfer-encoding"]);
/** Methods whose absence of a body has to be said (RFC 9110 8.6): some servers wait for one otherwise. */
const METHODS_WITH_BODY = new Set(["POST", "PUT", "PATCH"]);

/** A path of the URL standard: visible ASCII, everything else is escaped there. */
const TARGET = /^\/[\x21-\x7e]*$/;
/** A host name, an IPv4 address, or an IPv6 address without brackets and zone. */
const HOST = /^[A-Za-z0-9._:-]+$/;

const NOTHING = new Uint8Array(0);
const LAST_CHUNK = new TextEncoder().encode("0\r\n\r\n");
const encoder = new TextEncoder();

/**
 * The bytes of a request head, with `firstBytes` of the body behind it: what is sent together goes out in one
 * packet. Nothing is added but `Host` and the framing.
 *
 * @throws Http1Failure `local` when the head cannot be written as HTTP/1.1 without being read as something else
 */
export function writeHead(
  origin: Origin,
  head: Http1RequestHead,
  body: RequestBody,
  firstBytes: Uint8Array = NOTHING,
): Uint8Array {
  // CONNECT has no path, and what follows its answer is no HTTP.
  if (!isToken(head.method) || head.method === "CONNECT") throw misuse("the method", "a method with a path");
  if (!TARGET.test(head.target)) throw misuse("the target", "a path in visible ASCII");
  let text = `${head.method} ${head.target} HTTP/1.1\r\nHost: ${hostField(origin)}\r\n`;
  for (const [name, value] of head.headers) {
    if (!isToken(name)) throw misuse("a header name", "a token");
    if (!isFieldValue(value)) throw misuse(`header ${name}`, "a Latin-1 value without control characters");
    if (isOwnField(name)) throw misuse(`header ${name}`, "it to be left to the client");
    text += `${name}: ${value}\r\n`;
  }
  return encode(`${text}${framingField(head.method, body)}\r\n`, firstBytes);
}

function framingField(method: string, body: RequestBody): string {
  if (body === "chunked") return "Transfer-Encoding: chunked\r\n";
  if (body === "none") return METHODS_WITH_BODY.has(method) ? "Content-Length: 0\r\n" : "";
  if (!Number.isSafeInteger(body.length) || body.length < 0)
    throw misuse("the body length", "a number of bytes");
  return `Content-Length: ${body.length}\r\n`;
}

function isOwnField(name: string): boolean {
  // By length first: most names need not be turned to lower case.
  const { length } = name;
  return (
    (length === 4 || length === 10 || length === 14 || length === 17) && OWN_FIELDS.has(name.toLowerCase())
  );
}

/** RFC 9110 7.2: without the port that the scheme implies; the zone of an IPv6 address means nothing elsewhere. */
function hostField(origin: Origin): string {
  const host = origin.host.replace(/%.*$/, "");
  if (!HOST.test(host)) throw misuse("the host", "a name or an address");
  const bracketed = host.includes(":") ? `[${host}]` : host;
  return origin.port === (origin.tls ? 443 : 80) ? bracketed : `${bracketed}:${origin.port}`;
}

function encode(text: string, behind: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(text.length + behind.length);
  const { read, written } = encoder.encodeInto(text, bytes);
  // Not all ASCII: UTF-8 took more than a byte for some, so each character is written as its one byte of Latin-1.
  if (read !== text.length || written !== text.length) {
    for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  }
  bytes.set(behind, text.length);
  return bytes;
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
