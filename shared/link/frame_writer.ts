import { Buffer } from "node:buffer";
import type { LinkRequestHead, LinkResponseHead } from "./events.ts";
import { FLAG, FRAME, putU32 } from "./frames.ts";
import { type HeadText, requestText, responseText, writeHead } from "./heads.ts";
import { FRAME_HEADER_BYTES, MAX_DATA_BYTES, MESSAGE_TARGET_BYTES } from "./limits.ts";

/** Small messages are cut from one allocation; what of it is not used yet is all that an idle link keeps. */
const SLAB_BYTES = 16 * 1024;

/** Behind a large message, so that an END or a CREDIT that joins it does not make it move. */
const SPARE_BYTES = 256;

/** Writes frames one behind the other into messages of about `MESSAGE_TARGET_BYTES`. */
export class FrameWriter {
  #slab = new Uint8Array(0);
  /** The message under way is `#start`–`#end` of the slab. */
  #start = 0;
  #end = 0;
  /** Complete ones that go before it. */
  readonly #complete: Uint8Array[] = [];
  #completeBytes = 0;
  /** The exchange of the DATA frame that the message ends with, 0 when it ends otherwise. */
  #joinable = 0;
  #joinedBytes = 0;

  /** Body bytes that the message under way should take; none while others go before it. */
  get room(): number {
    return this.#complete.length > 0 ? 0 : MESSAGE_TARGET_BYTES - (this.#end - this.#start);
  }

  /** Bytes that wait here to be taken. */
  get waitingBytes(): number {
    return this.#completeBytes + this.#end - this.#start;
  }

  /** A frame without a payload. */
  bare(type: number, exchange: number): void {
    this.#header({ type, flags: 0, exchange, length: 0 });
  }

  credit(exchange: number, bytes: number): void {
    this.#header({ type: FRAME.CREDIT, flags: 0, exchange, length: 4 });
    this.#u32(bytes);
  }

  /**
   * Joins the frame before it when that is of the same body: a backend that writes a hundred events in one go makes
   * one frame of them, and one write at the other end. Not with flags: those mark messages, whose bounds count.
   */
  data(exchange: number, bytes: Uint8Array, flags: number): void {
    if (exchange === this.#joinable && flags === 0 && this.#joinedBytes + bytes.length <= MAX_DATA_BYTES) {
      this.#reserve(bytes.length);
      this.#joinedBytes += bytes.length;
      putU32(this.#slab, this.#end - this.#joinedBytes + bytes.length - 4, this.#joinedBytes);
    } else {
      this.#header({ type: FRAME.DATA, flags, exchange, length: bytes.length });
      this.#joinable = flags === 0 ? exchange : 0;
      this.#joinedBytes = bytes.length;
    }
    this.#slab.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /**
   * `window`: credit for the response.
   * @throws RelayFailure `header_too_large`
   * @throws TypeError, see `writeHead`; nothing is written then
   */
  request(exchange: number, head: LinkRequestHead, window: number): void {
    const text = requestText(head);
    const flags = flagsOf(head);
    this.#header({ type: FRAME.REQUEST, flags, exchange, length: 4 + text.text.length });
    this.#u32(window);
    this.#head(text, FRAME_HEADER_BYTES + 4);
  }

  /**
   * @throws RangeError when it is over the limits
   * @throws TypeError, see `writeHead`; nothing is written then
   */
  response(exchange: number, { status, headers }: LinkResponseHead): void {
    const text = responseText(headers);
    this.#header({ type: FRAME.RESPONSE, flags: 0, exchange, length: 2 + text.text.length });
    this.#slab[this.#end] = status >> 8;
    this.#slab[this.#end + 1] = status;
    this.#end += 2;
    this.#head(text, FRAME_HEADER_BYTES + 2);
  }

  reset(exchange: number, code: number, text: Uint8Array): void {
    this.#header({ type: FRAME.RESET, flags: 0, exchange, length: 1 + text.length });
    this.#slab[this.#end] = code;
    this.#slab.set(text, this.#end + 1);
    this.#end += 1 + text.length;
  }

  /** The next message. Its bytes are valid until the next frame is written: a gigabyte passes through one slab. */
  take(): Uint8Array | undefined {
    const complete = this.#complete.shift();
    if (complete) this.#completeBytes -= complete.length;
    return complete ?? this.#cut();
  }

  #cut(): Uint8Array | undefined {
    if (this.#end === this.#start) return undefined;
    const message = this.#slab.subarray(this.#start, this.#end);
    this.#start = this.#end;
    this.#joinable = 0;
    return message;
  }

  #header(frame: { type: number; flags: number; exchange: number; length: number }): void {
    if (this.#end - this.#start >= MESSAGE_TARGET_BYTES) this.#completeMessage();
    else if (this.#end === this.#start && this.#complete.length === 0) this.#start = this.#end = 0;
    this.#reserve(FRAME_HEADER_BYTES + frame.length);
    this.#joinable = 0;
    this.#slab[this.#end] = frame.type;
    this.#slab[this.#end + 1] = frame.flags;
    this.#end += 2;
    this.#u32(frame.exchange);
    this.#u32(frame.length);
  }

  #completeMessage(): void {
    const message = this.#cut()!;
    this.#complete.push(message);
    this.#completeBytes += message.length;
  }

  #u32(value: number): void {
    putU32(this.#slab, this.#end, value);
    this.#end += 4;
  }

  /** `before`: bytes of the frame that stand before its head. */
  #head(text: HeadText, before: number): void {
    const end = this.#end + text.text.length;
    try {
      writeHead(text, this.#slab.subarray(this.#end, end));
      this.#end = end;
    } catch (error) {
      this.#end -= before;
      throw error;
    }
  }

  /** Grow by doubling: a message that is longer than expected moves. */
  #reserve(more: number): void {
    if (this.#end + more <= this.#slab.length) return;
    const length = this.#end - this.#start;
    const slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, 2 * length + more + SPARE_BYTES));
    slab.set(this.#slab.subarray(this.#start, this.#end));
    // As a plain array: `Buffer.subarray` is slow on Deno.
    this.#slab = new Uint8Array(slab.buffer, slab.byteOffset, slab.length);
    this.#start = 0;
    this.#end = length;
  }
}

function flagsOf({ hasBody, streaming, upgrade }: LinkRequestHead): number {
  return (hasBody ? 0 : FLAG.NO_BODY) | (streaming ? FLAG.STREAMING : 0) | (upgrade ? FLAG.UPGRADE : 0);
}
