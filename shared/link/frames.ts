import { LinkProtocolError } from "./events.ts";
import { FRAME_HEADER_BYTES } from "./limits.ts";

/**
 * The framed form's bytes. A frame is
 *
 *     type u8 · flags u8 · exchange u32 · length u32 · payload        (big-endian)
 *
 * and a WebSocket message holds one or more whole frames. `docs/protocol.md` has worked examples,
 * `tests/protocol/vectors.json` the vectors.
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
    throw new LinkProtocolError(
      `Cannot read a frame: ${left} bytes left, a frame header has ${FRAME_HEADER_BYTES}`,
    );
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

export function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
