import { invalidResponse } from "./failure.ts";
import type { StatusLine } from "./status_line.ts";
import type { HeaderPairs } from "./types.ts";

/** How the end of a response body is found, and whether the connection may serve on after it. */
export interface BodyFraming {
  /** The length in bytes (0: there is none), "chunked", or to the end of the connection. */
  body: number | "chunked" | "to_close";
  keepAlive: boolean;
}

/** What the fields say that concern the connection. */
interface FramingFields {
  lengths: string[];
  encodings: string[];
  close: boolean;
  keepAlive: boolean;
}

/**
 * RFC 9112 6.3, strict where it leaves a choice: whoever frames in two ways at once is not to be trusted.
 *
 * @throws Http1Failure `invalid`
 */
export function bodyFraming(method: string, line: StatusLine, fields: HeaderPairs): BodyFraming {
  const found = framingFields(fields);
  const length = declaredLength(found.lengths);
  const chunked = isChunked(found.encodings);
  if (chunked && length !== undefined) throw invalidResponse("one way of framing", "two");
  // An HTTP/1.0 peer does not know chunked framing: somebody in between may have passed it on unread.
  const keepAlive = !found.close && (line.minorVersion === 1 || (found.keepAlive && !chunked));
  if (hasNoBody(method, line.status)) return { body: 0, keepAlive };
  if (chunked) return { body: "chunked", keepAlive };
  if (length !== undefined) return { body: length, keepAlive };
  return { body: "to_close", keepAlive: false };
}

function hasNoBody(method: string, status: number): boolean {
  return method === "HEAD" || status === 204 || status === 304;
}

function framingFields(fields: HeaderPairs): FramingFields {
  const found: FramingFields = { lengths: [], encodings: [], close: false, keepAlive: false };
  for (const [name, value] of fields) {
    // By length first: of a dozen fields one or two are turned to lower case.
    if (name.length === "content-length".length && name.toLowerCase() === "content-length") {
      found.lengths.push(...listed(value));
    } else if (name.length === "transfer-encoding".length && name.toLowerCase() === "transfer-encoding") {
      found.encodings.push(...listed(value));
    } else if (name.length === "connection".length && name.toLowerCase() === "connection") {
      const options = listed(value);
      found.close ||= options.includes("close");
      found.keepAlive ||= options.includes("keep-alive");
    }
  }
  return found;
}

/** The members of a comma-separated list, in lower case. */
function listed(value: string): string[] {
  return value.toLowerCase().split(",").map(withoutBlanks);
}

function withoutBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, "");
}

function declaredLength(lengths: string[]): number | undefined {
  if (lengths.length === 0) return undefined;
  const values = lengths.map((text) => (/^[0-9]+$/.test(text) ? Number(text) : Number.NaN));
  if (!values.every(Number.isSafeInteger))
    throw invalidResponse("a Content-Length in bytes", "something else");
  if (values.some((value) => value !== values[0]))
    throw invalidResponse("one Content-Length", "differing ones");
  return values[0];
}

function isChunked(encodings: string[]): boolean {
  if (encodings.length === 0) return false;
  if (encodings.length === 1 && encodings[0] === "chunked") return true;
  throw invalidResponse("a Transfer-Encoding of chunked alone", "another");
}
