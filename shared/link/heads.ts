import { Buffer } from "node:buffer";
import { RelayFailure } from "../failures.ts";
import type { HeaderPairs } from "../http1/types.ts";
import { LinkProtocolError, type LinkRequestHead } from "./events.ts";
import { MAX_HEAD_BYTES, MAX_HEAD_FIELDS } from "./limits.ts";

/**
 * A head on the framed link is text: its lines joined by LF, which no header may contain, each character one byte
 * (Latin-1, as HTTP has it). Few native calls write or read it.
 */
export interface HeadText {
  text: string;
  /** How many lines it must have at the other end. */
  lines: number;
}

const LF = 10;
const ascii = new TextEncoder();

/** Method, target, and the pairs. @throws RelayFailure `header_too_large`: the peer would close the link. */
export function requestText({ method, target, headers }: LinkRequestHead): HeadText {
  if (method === "" || !target.startsWith("/")) {
    throw new TypeError(`Cannot send a request: its target must be a path: found ${method} ${target}`);
  }
  let text = `${method}\n${target}`;
  for (const [name, value] of headers) text += `\n${name}\n${value}`;
  if (isOverLimits(text, headers)) {
    throw new RelayFailure("header_too_large", {
      detail: `a link carries ${MAX_HEAD_BYTES} bytes and ${MAX_HEAD_FIELDS} fields at most`,
    });
  }
  return { text, lines: 2 + 2 * headers.length };
}

/** The pairs; no fields: the empty string. @throws RangeError when the peer would close the link over it. */
export function responseText(headers: HeaderPairs): HeadText {
  let text = "";
  let lines = 0;
  for (const [name, value] of headers) {
    text += lines === 0 ? `${name}\n${value}` : `\n${name}\n${value}`;
    lines += 2;
  }
  if (isOverLimits(text, headers)) {
    throw new RangeError(`Cannot send a head of ${text.length} bytes and ${headers.length} fields`);
  }
  return { text, lines };
}

function isOverLimits(text: string, headers: HeaderPairs): boolean {
  return text.length > MAX_HEAD_BYTES || headers.length > MAX_HEAD_FIELDS;
}

/**
 * Write it to exactly these bytes. The encoder for UTF-8 does it for ASCII, several times as fast as the one for
 * Latin-1 on Deno.
 * @throws TypeError for characters that are not Latin-1, and for an LF, which would make two fields of one
 */
export function writeHead({ text, lines }: HeadText, bytes: Uint8Array): void {
  if (ascii.encodeInto(text, bytes).read < text.length) {
    if (/[^\0-\xff]/.test(text)) throw new TypeError("Cannot send a head: its fields must be Latin-1");
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).write(text, "latin1");
  }
  let breaks = 0;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === LF) breaks++;
  if (breaks !== Math.max(lines - 1, 0)) throw new TypeError("Cannot send a head: a field has a line break");
}

/** The lines of a head. @throws LinkProtocolError when it is over the limits. */
export function readLines(message: Uint8Array, start: number, end: number): string[] {
  if (end - start > MAX_HEAD_BYTES) {
    throw new LinkProtocolError(`Cannot read a head of ${end - start} bytes: at most ${MAX_HEAD_BYTES}`);
  }
  if (start === end) return [];
  return Buffer.from(message.buffer, message.byteOffset + start, end - start)
    .toString("latin1")
    .split("\n");
}

/** Lines back to pairs, from the line `from` on. @throws LinkProtocolError for a name without a value. */
export function linesToPairs(lines: string[], from: number): HeaderPairs {
  const fields = (lines.length - from) / 2;
  if (!Number.isInteger(fields)) throw new LinkProtocolError("Cannot read a head: a name has no value");
  if (fields > MAX_HEAD_FIELDS) {
    throw new LinkProtocolError(`Cannot read a head of ${fields} fields: at most ${MAX_HEAD_FIELDS}`);
  }
  const pairs: HeaderPairs = [];
  for (let at = from; at < lines.length; at += 2) pairs.push([lines[at]!, lines[at + 1]!]);
  return pairs;
}
