import { Buffer } from "node:buffer";
import type { HeaderPairs } from "../http1/types.ts";
import { LinkProtocolError } from "./events.ts";
import { FRAME_HEADER_BYTES, MAX_HEAD_BYTES, MAX_HEAD_FIELDS } from "./limits.ts";

/**
 * The framed form's bytes. A frame is
 *
 *     type u8 · flags u8 · exchange u32 · length u32 · payload        (big-endian)
 *
 * and a WebSocket message holds one or more whole frames. A head is text: its lines joined by LF, which no
 * header may contain, each character one byte (Latin-1, as HTTP has it). One native call writes or reads it.
 * `docs/protocol.md` has worked examples, `tests/protocol/vectors.json` the vectors.
 */
export const FRAME = {
  REQUEST: 1,
  RESPONSE: 2,
  DATA: 3,
  END: 4,
  RESET: 5,
  STARTED: 6,
  RESET_ACK: 7,
  CREDIT: 8,
} as const;

export const FLAG = {
  /** REQUEST: no body follows. */
  NO_BODY: 1,
  /** REQUEST: the client asked for a stream. */
  STREAMING: 2,
  /** REQUEST: the client asks for a WebSocket. */
  UPGRADE: 4,
  /** DATA: of a WebSocket text message. */
  TEXT: 1,
} as const;

/** Writes frames one behind the other into a buffer that becomes the next message. */
export class FrameWriter {
  #buffer = Buffer.allocUnsafe(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A frame without a payload. */
  bare(type: number, exchange: number): void {
    this.#header({ type, flags: 0, exchange, length: 0 });
  }

  credit(exchange: number, bytes: number): void {
    this.#header({ type: FRAME.CREDIT, flags: 0, exchange, length: 4 });
    this.#u32(bytes);
  }

  data(exchange: number, bytes: Uint8Array, flags: number): void {
    this.#header({ type: FRAME.DATA, flags, exchange, length: bytes.length });
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** `window`: credit for the response. */
  request(exchange: number, flags: number, head: { window: number; lines: string }): void {
    const length = 4 + head.lines.length;
    this.#header({ type: FRAME.REQUEST, flags, exchange, length });
    this.#u32(head.window);
    this.#latin1(head.lines);
  }

  response(exchange: number, status: number, lines: string): void {
    this.#header({ type: FRAME.RESPONSE, flags: 0, exchange, length: 2 + lines.length });
    this.#buffer[this.#length] = status >> 8;
    this.#buffer[this.#length + 1] = status & 255;
    this.#length += 2;
    this.#latin1(lines);
  }

  reset(exchange: number, code: number, text: Uint8Array): void {
    this.#header({ type: FRAME.RESET, flags: 0, exchange, length: 1 + text.length });
    this.#buffer[this.#length] = code;
    this.#buffer.set(text, this.#length + 1);
    this.#length += 1 + text.length;
  }

  /** The message so far; the writer starts anew and does not touch it again. */
  take(): Uint8Array {
    const message = this.#buffer.subarray(0, this.#length);
    this.#buffer = Buffer.allocUnsafe(0);
    this.#length = 0;
    return message;
  }

  #header(frame: { type: number; flags: number; exchange: number; length: number }): void {
    this.#room(FRAME_HEADER_BYTES + frame.length);
    const buffer = this.#buffer;
    buffer[this.#length] = frame.type;
    buffer[this.#length + 1] = frame.flags;
    this.#length += 2;
    this.#u32(frame.exchange);
    this.#u32(frame.length);
  }

  #u32(value: number): void {
    const buffer = this.#buffer;
    const at = this.#length;
    buffer[at] = value >>> 24;
    buffer[at + 1] = value >>> 16;
    buffer[at + 2] = value >>> 8;
    buffer[at + 3] = value;
    this.#length = at + 4;
  }

  #latin1(text: string): void {
    this.#length += this.#buffer.write(text, this.#length, "latin1");
  }

  /** Grow by doubling, from 1 KiB: most messages are one small frame, and bulk ones reach 64 KiB in a step. */
  #room(more: number): void {
    const wanted = this.#length + more;
    if (wanted <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(1024, 2 * this.#buffer.length, wanted));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

/** One frame as it stands in a message; `start`–`end` is its payload. Reused between frames. */
export interface FrameView {
  type: number;
  flags: number;
  exchange: number;
  start: number;
  end: number;
}

/**
 * The frame at `offset`, put into `view`.
 * @throws LinkProtocolError when it does not end within the message.
 */
export function readFrame(message: Uint8Array, offset: number, view: FrameView): void {
  if (offset + FRAME_HEADER_BYTES > message.length) {
    const left = message.length - offset;
    throw new LinkProtocolError(`Cannot read a frame: ${left} bytes left, a frame header has 10`);
  }
  view.type = message[offset]!;
  view.flags = message[offset + 1]!;
  view.exchange = readU32(message, offset + 2);
  view.start = offset + FRAME_HEADER_BYTES;
  view.end = view.start + readU32(message, offset + 6);
  if (view.end > message.length) {
    throw new LinkProtocolError(
      `Cannot read a frame of type ${view.type}: its payload ends ${view.end - message.length} bytes behind the message`,
    );
  }
}

export function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** Header pairs as lines. No fields: the empty string. */
export function pairsToLines(pairs: HeaderPairs): string {
  let lines = "";
  for (const [name, value] of pairs) lines += lines === "" ? `${name}\n${value}` : `\n${name}\n${value}`;
  return lines;
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
