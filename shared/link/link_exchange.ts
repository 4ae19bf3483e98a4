import type { ExchangeId, LinkEvent, LinkResponseHead, ResetCode } from "./events.ts";
import { MAX_DATA_BYTES } from "./limits.ts";
import type { Link } from "./link.ts";

/** What happens on one exchange. After `end` and the own end, or after `reset`, nothing more is called. */
export interface ExchangeHandlers {
  started?(): void;
  response?(head: LinkResponseHead): void;
  /** Valid up to the next `settled` or `reset`: copy what is kept. Say `consumed` when they were passed on. */
  data(bytes: Uint8Array, text: boolean): void;
  end(): void;
  reset(code: ResetCode, text: string): void;
  /** There is room again after `write` returned false. */
  writable?(): void;
  /** All that one socket message held for this exchange was delivered: the moment to pass it on in one go. */
  settled?(): void;
}

type ExchangeEvent = Exclude<LinkEvent, { type: "request" | "control" }>;

/** Half a message. */
const LARGE_PIECE_BYTES = MAX_DATA_BYTES / 2;

/** One exchange of a link, as whoever works on it holds it. Every call is ignored once the exchange is over. */
export class LinkExchange {
  /** Undefined while the link asks for them. */
  handlers: ExchangeHandlers | undefined;
  /** The message under way held something for it. */
  touched = false;
  readonly #link: Link;
  #receivedAll: boolean;
  #sentAll: boolean;
  #wasReset = false;
  /** `writable` is due. It may come within `write`, which then must not say that it is still to come. */
  #blocked = false;

  constructor(
    link: Link,
    readonly id: ExchangeId,
    halves: { receivedAll?: boolean; sentAll?: boolean },
  ) {
    this.#link = link;
    this.#receivedAll = halves.receivedAll ?? false;
    this.#sentAll = halves.sentAll ?? false;
  }

  started(): void {
    if (this.#wasReset) return;
    this.#link.connection.sendStarted(this.id);
    this.#link.scheduleFlush();
  }

  respond(head: LinkResponseHead): void {
    if (this.#wasReset) return;
    this.#link.connection.sendResponse(this.id, head);
    this.#link.scheduleFlush();
  }

  /** Copied before the call returns. False: wait for `writable`. */
  write(bytes: Uint8Array, text = false): boolean {
    const { connection } = this.#link;
    for (let at = 0; at < bytes.length && !this.#wasReset; at += MAX_DATA_BYTES) {
      // One message after the other takes a large piece without copying it to a queue.
      if (at > 0) this.#link.flush();
      const whole = bytes.length <= MAX_DATA_BYTES;
      const piece = whole ? bytes : bytes.subarray(at, at + MAX_DATA_BYTES);
      this.#blocked = !connection.sendData(this.id, piece, text);
    }
    // There is nothing to gain by waiting for more to join a piece that fills its message.
    if (bytes.length >= LARGE_PIECE_BYTES) this.#link.flush();
    else this.#link.scheduleFlush();
    return !this.#blocked;
  }

  end(): void {
    if (this.#wasReset) return;
    this.#link.connection.sendEnd(this.id);
    this.#sentAll = true;
    this.#forgetIfOver();
    this.#link.scheduleFlush();
  }

  /** Give up on it: no handler is called any more, but for the `settled` that is due after an `end`. */
  reset(code: ResetCode, text = ""): void {
    if (this.#wasReset) return;
    this.#wasReset = true;
    if (!this.#receivedAll) this.touched = false;
    this.#link.forget(this);
    this.#link.attempt(() => this.#link.connection.sendReset(this.id, code, text));
    this.#link.scheduleFlush();
  }

  /** This many bytes of `data` were passed on; the peer may send as many again. */
  consumed(bytes: number): void {
    if (this.#wasReset) return;
    this.#link.connection.consumed(this.id, bytes);
    this.#link.scheduleFlush();
  }

  // --- for the link ----------------------------------------------------------------------------------------

  on(event: ExchangeEvent): void {
    const handlers = this.handlers!;
    switch (event.type) {
      case "data":
        return handlers.data(event.bytes, event.text === true);
      case "started":
        return handlers.started?.();
      case "response":
        return handlers.response?.(event.head);
      case "writable":
        this.#blocked = false;
        return handlers.writable?.();
      case "reset":
        return this.#onReset(event.code, event.text);
      case "end":
        this.#receivedAll = true;
        this.#forgetIfOver();
        return handlers.end();
    }
  }

  settle(): void {
    if (!this.touched) return;
    this.touched = false;
    this.handlers?.settled?.();
  }

  /** The link is gone. Who makes the handlers at the moment is told when they are there. */
  lost(): void {
    if (this.handlers) this.#onReset("link_lost", "");
  }

  /** A handler threw: both ends are told that it is over. */
  breakOff(): void {
    if (this.#wasReset) return;
    this.reset("cancelled", "a fault of the other end");
    this.handlers?.reset("cancelled", "a fault of this end");
  }

  #onReset(code: ResetCode, text: string): void {
    if (this.#wasReset) return;
    this.#wasReset = true;
    this.touched = false;
    this.#link.forget(this);
    this.handlers!.reset(code, text);
  }

  #forgetIfOver(): void {
    if (this.#receivedAll && this.#sentAll) this.#link.forget(this);
  }
}
