import { bodyFraming } from "./body_framing.ts";
import { ChunkFraming } from "./chunk_framing.ts";
import { brokenOff } from "./failure.ts";
import { HeaderBlock } from "./header_block.ts";
import { REASON_OFFSET_BYTES, StatusLine } from "./status_line.ts";
import type { Http1ResponseHead } from "./types.ts";

/** What a response consists of, in this order. May call `stop`. */
export interface ResponseEvents {
  head(head: Http1ResponseHead): void;
  /** Mostly a view of the bytes received. Never empty. */
  data(bytes: Uint8Array): void;
  end(): void;
  /** 101: HTTP ends here. Instead of the three above; `rest` is what came behind the head. */
  switched(head: Http1ResponseHead, rest: Uint8Array): void;
}

const COPIED_MAX_BYTES = 4096;
const MOVED_MAX_BYTES = 4096;

type Phase = "head" | "length" | "chunked" | "to_close" | "complete" | "stopped";

/**
 * Bytes in, events out: the responses of one connection, one at a time, without any I/O. Strict, since what a
 * lenient parser guesses is where two of them disagree (RFC 9112 11). Any bytes give events or one failure.
 */
export class ResponseParser {
  readonly #events: ResponseEvents;
  readonly #line = new StatusLine();
  readonly #block = new HeaderBlock(this.#line);
  readonly #chunks = new ChunkFraming();
  #phase: Phase = "stopped";
  #method = "";
  #remainingBytes = 0;
  #keepAlive = false;
  #begun = false;
  #leftover = false;

  constructor(events: ResponseEvents) {
    this.#events = events;
  }

  /** Expect the response to a request of this method. */
  begin(method: string): void {
    this.#method = method;
    this.#phase = "head";
    this.#begun = this.#keepAlive = this.#leftover = false;
    this.#block.reset();
    this.#chunks.reset();
  }

  /** Bytes of this response were seen, be it of a 1xx. */
  get begun(): boolean {
    return this.#begun;
  }

  /** The response is complete, nothing came behind it, and the peer keeps the connection open. */
  get reusable(): boolean {
    return this.#phase === "complete" && this.#keepAlive && !this.#leftover;
  }

  /** No more events from here on, also from within one. */
  stop(): void {
    this.#phase = "stopped";
  }

  /**
   * Take what the connection gave. Bytes may be moved within the array.
   *
   * @throws Http1Failure `invalid`, once
   */
  receive(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#begun = true;
    try {
      let at = 0;
      while (at < bytes.length) at = this.#advance(bytes, at);
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  /**
   * The connection ended cleanly.
   *
   * @throws Http1Failure `broke_off` when the response is not complete
   */
  eof(): void {
    const phase = this.#phase;
    if (phase === "to_close") return this.#complete();
    if (phase === "complete" || phase === "stopped") return;
    this.stop();
    if (phase === "head") throw brokenOff(this.#begun ? "the rest of a response head" : "a response");
    throw brokenOff(phase === "length" ? `${this.#remainingBytes} more bytes` : "more chunks");
  }

  #advance(bytes: Uint8Array, at: number): number {
    switch (this.#phase) {
      case "head":
        return this.#receiveHead(bytes, at);
      case "length": {
        const end = Math.min(bytes.length, at + this.#remainingBytes);
        this.#remainingBytes -= end - at;
        // Behind a head, a copy of a short body costs half of a view of what was read.
        if (at > 0 && end - at <= COPIED_MAX_BYTES) this.#events.data(bytes.slice(at, end));
        else this.#emit(bytes, at, end);
        if (this.#remainingBytes === 0) this.#complete(end < bytes.length);
        return end;
      }
      case "chunked":
        return this.#receiveChunked(bytes, at);
      case "to_close":
        this.#emit(bytes, at, bytes.length);
        return bytes.length;
      case "complete":
        this.#leftover = true;
        return bytes.length;
      case "stopped":
        return bytes.length;
    }
  }

  /**
   * Short chunks that came together are told as one: moved up over the framing that stood between them. Each by itself
   * costs a view and a walk down to the client.
   */
  #receiveChunked(bytes: Uint8Array, from: number): number {
    const chunks = this.#chunks;
    let at = from;
    // What is to be told stands from `start` to `end`.
    let start = from;
    let end = from;
    try {
      while (at < bytes.length && !chunks.done) {
        if (chunks.dataBytes === 0) {
          at = chunks.skip(bytes, at);
          continue;
        }
        const next = Math.min(bytes.length, at + chunks.dataBytes);
        chunks.dataBytes -= next - at;
        if (end > start && next - at <= MOVED_MAX_BYTES) {
          bytes.copyWithin(end, at, next);
          end += next - at;
        } else {
          this.#emit(bytes, start, end);
          start = at;
          end = next;
        }
        at = next;
      }
    } finally {
      this.#emit(bytes, start, end);
    }
    if (chunks.done) this.#complete(at < bytes.length);
    return at;
  }

  #emit(bytes: Uint8Array, start: number, end: number): void {
    if (start === end || this.#phase === "stopped") return;
    this.#events.data(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
  }

  #receiveHead(bytes: Uint8Array, at: number): number {
    const end = this.#block.receive(bytes, at);
    if (end < 0) return bytes.length;
    const { status } = this.#line;
    // 100, 102, 103: not the response yet. However many: nothing of them is kept.
    if (status < 200 && status !== 101) {
      this.#block.reset();
      return end;
    }
    const { startLine: reason, fields: headers } = this.#block.take(REASON_OFFSET_BYTES + 1);
    const head = { status, reason, headers };
    if (status === 101) {
      this.stop();
      this.#events.switched(head, bytes.subarray(end));
      return bytes.length;
    }
    this.#beginBody(head, end < bytes.length);
    return end;
  }

  #beginBody(head: Http1ResponseHead, more: boolean): void {
    const { body, keepAlive } = bodyFraming(this.#method, this.#line, head.headers);
    this.#keepAlive = keepAlive;
    this.#remainingBytes = typeof body === "number" ? body : 0;
    this.#phase = typeof body === "number" ? "length" : body;
    this.#events.head(head);
    if (body === 0) this.#complete(more);
  }

  /** `more`: bytes follow that belong to no response. Known before `end` is told. */
  #complete(more = false): void {
    if (this.#phase === "stopped") return;
    this.#phase = "complete";
    this.#leftover = more;
    this.#events.end();
  }
}
