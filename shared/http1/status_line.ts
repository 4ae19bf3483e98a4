import { invalidResponse } from "./failure.ts";
import { FIELD_VALUE_BYTES, SPACE, showByte } from "./field_syntax.ts";
import type { StartLine } from "./header_block.ts";

/** `HTTP/1.x NNN`: where the optional reason phrase begins, counting its space. */
export const REASON_OFFSET_BYTES = 12;

const PREFIX = new TextEncoder().encode("HTTP/1.");
const ZERO = 0x30;

/** What the first line of a response says (RFC 9112 4): of the one that was read last. */
export class StatusLine implements StartLine {
  /** 1.0 or 1.1: what differs is whether the connection stays open by default. */
  minorVersion = 1;
  /** 100 to 599. */
  status = 0;

  /**
   * Read the status line in `bytes` from `start` to `end`, without its CRLF. A missing space before an empty
   * reason phrase is let pass, since many servers leave it out and nothing can be misread.
   *
   * @throws Http1Failure `invalid`
   */
  read(bytes: Uint8Array, start: number, end: number): void {
    this.check(bytes, start, end);
    const reasonAt = start + REASON_OFFSET_BYTES;
    if (end < reasonAt) throw invalidResponse("a status line", "a shorter line");
    this.minorVersion = bytes[start + 7]! - ZERO;
    if (this.minorVersion !== 0 && this.minorVersion !== 1)
      throw invalidResponse("HTTP/1.0 or HTTP/1.1", "another version");
    this.status = readStatus(bytes, start + 8);
    if (end > reasonAt && bytes[reasonAt] !== SPACE) {
      throw invalidResponse("a space behind the status", showByte(bytes[reasonAt]));
    }
    for (let at = reasonAt; at < end; at++) {
      if (!FIELD_VALUE_BYTES[bytes[at]!]) throw invalidResponse("a reason phrase", showByte(bytes[at]));
    }
  }

  /**
   * Look at a line that is not complete yet: a peer that speaks something else (TLS, SSH) is told from one that is
   * slow without waiting for a line that may never end.
   *
   * @throws Http1Failure `invalid`
   */
  check(bytes: Uint8Array, start: number, end: number): void {
    const length = Math.min(PREFIX.length, end - start);
    for (let at = 0; at < length; at++) {
      if (bytes[start + at] !== PREFIX[at]) throw invalidResponse("HTTP/1.", showByte(bytes[start + at]));
    }
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
