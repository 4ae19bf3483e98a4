import { joined } from "../joined.ts";
import type { Connection } from "./connection.ts";
import { ExchangeState } from "./exchange_state.ts";
import type { Destination } from "./origin.ts";
import { BodyWriter, writeHead } from "./request_writer.ts";
import { giveBackBytes } from "./spare_bytes.ts";
import {
  type ClientExchange,
  type ExchangeHandlers,
  Http1Failure,
  type Http1RequestHead,
  type Http1ResponseHead,
  type RequestBody,
  type RequestOptions,
} from "./types.ts";

export interface ExchangeRequest {
  to: Destination;
  head: Http1RequestHead;
  body: RequestBody;
  handlers: ExchangeHandlers;
  options: RequestOptions | undefined;
}

/** What an exchange asks of the client that it belongs to. */
export interface ExchangeOwner {
  nowMs(): number;
  /** Find another connection: the one that the exchange had was dead. */
  sendAgain(exchange: Exchange): void;
  /** The exchange is over. Called once. */
  finished(exchange: Exchange): void;
}

/** One request and its response: what the caller holds, and what a connection reports to. */
export class Exchange implements ClientExchange {
  readonly to: Destination;
  readonly method: string;
  readonly #owner: ExchangeOwner;
  readonly #handlers: ExchangeHandlers;
  readonly #state = new ExchangeState();
  readonly #body: BodyWriter;
  /** The head and the first bytes of the body, until they are written. */
  #opening: Uint8Array | undefined;
  /** What the caller sent since, for want of a connection. */
  #unsent: Uint8Array[] | undefined;
  /** The whole request, as long as it may be sent a second time. */
  #whole: Uint8Array | undefined;
  #connection: Connection | undefined;
  #started = false;
  #paused = false;
  /** The caller was told to wait for `drain`. */
  #owesDrain = false;
  #quietSinceMs = 0;

  /** @throws Http1Failure `local` when the request cannot be written */
  constructor(
    readonly id: number,
    request: ExchangeRequest,
    owner: ExchangeOwner,
  ) {
    const { to, head, body, options } = request;
    const firstBytes = options?.firstBytes;
    this.to = to;
    this.method = head.method;
    this.#owner = owner;
    this.#handlers = request.handlers;
    this.#body = new BodyWriter(body);
    this.#opening = writeHead(to, head, body, firstBytes);
    if (firstBytes?.length) this.#body.data(firstBytes);
    if (body === "none" || firstBytes) {
      this.#body.end();
      this.#state.sends("end");
      if (options?.idempotent) this.#whole = this.#opening;
    }
  }

  get over(): boolean {
    return this.#state.over;
  }

  // --- from the caller -------------------------------------------------------------------------------------

  write(bytes: Uint8Array): boolean {
    if (bytes.length === 0) return !this.#owesDrain;
    try {
      this.#state.sends("data");
      if (this.#state.request === "open") this.#send(this.#body.data(bytes), bytes);
    } catch (error) {
      this.#misused(error);
    }
    return !this.#owesDrain;
  }

  end(): void {
    try {
      if (this.#state.request === "open") this.#send(this.#body.end());
      this.#state.sends("end");
    } catch (error) {
      this.#misused(error);
    }
  }

  pause(): void {
    this.#paused = true;
    if (!this.over) this.#connection?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#touch();
    if (!this.over) this.#connection?.resume();
  }

  cancel(): void {
    if (!this.over) this.#close();
  }

  #misused(error: unknown): void {
    if (!(error instanceof Http1Failure)) throw error;
    this.fail(error);
  }

  /** `owned`: the caller's array, which is copied where it has to be kept. */
  #send(framed: Uint8Array, owned?: Uint8Array): void {
    if (framed.length === 0) return;
    if (this.#connection) {
      this.#owesDrain = !this.#connection.write(framed);
      if (!this.#owesDrain) this.#touch();
    } else {
      this.#unsent ??= [];
      this.#unsent.push(framed === owned ? new Uint8Array(framed) : framed);
      this.#owesDrain = true;
    }
  }

  // --- from the connection ---------------------------------------------------------------------------------

  /** Write what there is of the request. */
  attach(connection: Connection, nowMs: number): void {
    this.#connection = connection;
    this.#quietSinceMs = nowMs;
    if (!this.#started) {
      this.#started = true;
      this.#handlers.started?.();
      if (this.over) return;
    }
    if (this.#paused) connection.pause();
    const opening = this.#unsent ? joined([this.#opening!, ...this.#unsent]) : this.#opening!;
    this.#opening = this.#unsent = undefined;
    const hasRoom = connection.write(opening);
    if (opening !== this.#whole) giveBackBytes(opening);
    if (hasRoom) this.#tellDrain();
  }

  drained(): void {
    this.#touch();
    this.#tellDrain();
  }

  #tellDrain(): void {
    if (!this.#owesDrain) return;
    this.#owesDrain = false;
    this.#handlers.drain?.();
  }

  /** What arrived was read: a head, body bytes. What is no answer yet does not count. */
  progressed(): void {
    const { response } = this.#state;
    if (response === "body") this.#touch();
    if (response === "body" || response === "complete") this.#handlers.settled?.();
  }

  respond(head: Http1ResponseHead): void {
    this.#state.receives("head");
    this.#whole = undefined;
    this.#handlers.head(head);
  }

  data(bytes: Uint8Array): void {
    this.#state.receives("data");
    this.#handlers.data(bytes);
  }

  /** The response is complete. Returns whether the request was, too: if so, the connection is free. */
  complete(): boolean {
    this.#state.receives("end");
    const { clean } = this.#state;
    this.#state.sends("close");
    return clean;
  }

  /** Tell the caller that the response is complete. */
  tellEnd(): void {
    this.#connection = undefined;
    this.#owner.finished(this);
    this.#handlers.end();
  }

  /**
   * The connection ended before a byte of the answer, and it had served before: the peer may have closed it
   * for being idle, or have read the request and died. Sent again only where that harms nobody, and only once,
   * as the connection it then gets is fresh.
   */
  lost(failure: Http1Failure): void {
    if (!this.#whole) return this.fail(failure);
    this.#opening = this.#whole;
    this.#connection = undefined;
    this.#owner.sendAgain(this);
  }

  fail(failure: Http1Failure): void {
    if (this.over) return;
    this.#close();
    this.#handlers.failed(failure);
  }

  #close(): void {
    this.#state.receives("close");
    this.#state.sends("close");
    this.#connection?.abandon();
    this.#connection = undefined;
    this.#opening = this.#unsent = undefined;
    this.#owner.finished(this);
  }

  // --- time ------------------------------------------------------------------------------------------------

  #touch(): void {
    this.#quietSinceMs = this.#owner.nowMs();
  }

  /**
   * What is being waited for too long, if anything. While connecting the dialler counts, while the caller has
   * paused the response nobody does.
   */
  overdue(limits: { firstByteMs: number; bodyMs: number }): "first_byte" | "body" | undefined {
    if (!this.#connection || this.#paused) return undefined;
    const quietMs = this.#owner.nowMs() - this.#quietSinceMs;
    if (this.#state.response === "awaited") return quietMs >= limits.firstByteMs ? "first_byte" : undefined;
    return quietMs >= limits.bodyMs ? "body" : undefined;
  }
}
