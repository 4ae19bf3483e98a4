import { invalidResponse } from "./failure.ts";
import { FIELD_VALUE_BYTES, SPACE, showByte } from "./field_syntax.ts";

/** What the first line of a response says (RFC 9112 4). */
export interface StatusLine {
  /** 1.0 or 1.1: what differs is whether the connection stays open by default. */
  minorVersion: 0 | 1;
  /** 100 to 599. */
  status: number;
}

/** `HTTP/1.x NNN`: where the optional reason phrase begins, counting its space. */
export const REASON_OFFSET_BYTES = 12;

const PREFIX = new TextEncoder().encode("HTTP/1.");
const ZERO = 0x30;

/**
 * Read the status line in `bytes` from `start` to `end`, without its CRLF. A missing space before an empty
 * reason phrase is let pass, since many servers leave it out and nothing can be misread.
 *
 * @throws Http1Failure `invalid`
 */
export function readStatusLine(bytes: Uint8Array, start: number, end: number): StatusLine {
  checkStatusLineStart(bytes, start, end);
  if (end - start < REASON_OFFSET_BYTES) throw invalidResponse("a status line", "a shorter line");
  const minorVersion = bytes[start + 7]! - ZERO;
  if (minorVersion !== 0 && minorVersion !== 1)
    throw invalidResponse("HTTP/1.0 or HTTP/1.1", "another version");
  const status = readStatus(bytes, start + 8);
  for (let at = start + REASON_OFFSET_BYTES; at < end; at++) {
    if (at === start + REASON_OFFSET_BYTES && bytes[at] !== SPACE) {
      throw invalidResponse("a space behind the status", showByte(bytes[at]));
    }
    if (!FIELD_VALUE_BYTES[bytes[at]!]) throw invalidResponse("a reason phrase", showByte(bytes[at]));
  }
  return { minorVersion, status };
}

/**
 * Look at a line that is not complete yet: a peer that speaks something else (TLS, SSH) is told from one that is
 * slow without waiting for a line that may never end.
 *
 * @throws Http1Failure `invalid`
 */
export function checkStatusLineStart(bytes: Uint8Array, start: number, end: number): void {
  const length = Math.min(PREFIX.length, end - start);
  for (let at = 0; at < length; at++) {
    if (bytes[start + at] !== PREFIX[at]) throw invalidResponse("HTTP/1.", showByte(bytes[start + at]));
  }
}

/** A space and three digits. */
function readStatus(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== SPACE) throw invalidResponse("a space before the status", showByte(bytes[at]));
  let status = 0;
  for (let digit = at + 1; digit <= at + 3; digit++) {
    const value = bytes[digit]! - ZERO;
    if (value < 0 || value > 9) throw invalidResponse("a status of three digits", showByte(bytes[digit]));
    status = status * 10 + value;
  }
  if (status < 100 || status > 599) throw invalidResponse("a status from 100 to 599", String(status));
  return status;
}
