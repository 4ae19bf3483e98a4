import { invalidResponse } from "./failure.ts";
import { isNamed, safeNumber } from "./field_syntax.ts";
import type { StatusLine } from "./status_line.ts";
import type { HeaderPairs } from "./types.ts";

/** How the end of a response body is found, and whether the connection may serve on after it. */
export interface BodyFraming {
  /** The length in bytes (0: there is none), "chunked", or to the end of the connection. */
  body: number | "chunked" | "to_close";
  keepAlive: boolean;
}

/** A list of one member, which need not be taken apart: as nearly all are. */
const PLAIN_MEMBER = /^[0-9a-z-]+$/;
const DIGITS = /^[0-9]+$/;

/** What the fields say that concern the connection: each as one list, also when it stands in several fields. */
interface FramingFields {
  lengths: string | undefined;
  encodings: string | undefined;
  options: string | undefined;
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
  const keepAlive =
    !names(found.options, "close") &&
    (line.minorVersion === 1 || (names(found.options, "keep-alive") && !chunked));
  if (hasNoBody(method, line.status)) return { body: 0, keepAlive };
  if (chunked) return { body: "chunked", keepAlive };
  if (length !== undefined) return { body: length, keepAlive };
  return { body: "to_close", keepAlive: false };
}

function hasNoBody(method: string, status: number): boolean {
  return method === "HEAD" || status === 204 || status === 304;
}

function framingFields(fields: HeaderPairs): FramingFields {
  const found: FramingFields = { lengths: undefined, encodings: undefined, options: undefined };
  for (const [name, value] of fields) {
    if (isNamed(name, "content-length")) {
      found.lengths = continued(found.lengths, value);
    } else if (isNamed(name, "transfer-encoding")) {
      found.encodings = continued(found.encodings, value);
    } else if (isNamed(name, "connection")) {
      found.options = continued(found.options, value);
    }
  }
  return found;
}

/** RFC 9110 5.3: fields of one name are one list. */
function continued(list: string | undefined, value: string): string {
  return list === undefined ? value : `${list},${value}`;
}

/** The members of a comma-separated list, in lower case. */
function listed(list: string): string[] {
  return PLAIN_MEMBER.test(list) ? [list] : list.toLowerCase().split(",").map(withoutBlanks);
}

function withoutBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, "");
}

function names(list: string | undefined, option: string): boolean {
  return list !== undefined && listed(list).includes(option);
}

function declaredLength(list: string | undefined): number | undefined {
  if (list === undefined) return undefined;
  // Of one short number, as nearly all are.
  const alone = safeNumber(list);
  if (alone !== undefined) return alone;
  let length: number | undefined;
  let differ = false;
  for (const member of listed(list)) {
    const bytes = DIGITS.test(member) ? Number(member) : Number.NaN;
    if (!Number.isSafeInteger(bytes)) throw invalidResponse("a Content-Length in bytes", "something else");
    if (length !== undefined && bytes !== length) differ = true;
    length = bytes;
  }
  if (differ) throw invalidResponse("one Content-Length", "differing ones");
  return length;
}

function isChunked(list: string | undefined): boolean {
  if (list === undefined) return false;
  const encodings = listed(list);
  if (encodings.length === 1 && encodings[0] === "chunked") return true;
  throw invalidResponse("a Transfer-Encoding of chunked alone", "another");
}
