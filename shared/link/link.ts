import { setImmediate } from "node:timers";
import type { MessageSocket } from "../runtime/ports.ts";
import {
  type ExchangeId,
  type LinkConnection,
  type LinkEvent,
  LinkProtocolError,
  type LinkRequestHead,
  type LinkResponseHead,
  type ResetCode,
} from "./events.ts";
import { MAX_DATA_BYTES } from "./limits.ts";
import type { ControlMessage } from "./messages.ts";

/** What happens on one exchange. After `end` and the own end, or after `reset`, nothing more is called. */
export interface ExchangeHandlers {
  started?(): void;
  response?(head: LinkResponseHead): void;
  /** Valid only during the call. Say `consumed` when the bytes were passed on. */
  data(bytes: Uint8Array, text: boolean): void;
  end(): void;
  reset(code: ResetCode, text: string): void;
  /** There is room again after `write` returned false. */
  writable?(): void;
  /** All that one socket message held for this exchange was delivered: the moment to pass it on in one go. */
  settled?(): void;
}

export interface LinkOptions {
  socket: MessageSocket;
  /** Makes the protocol of this link. */
  connection(emit: (event: LinkEvent) => void): LinkConnection;
  /** A request came (worker only). The handlers are those of its exchange. */
  request?(exchange: LinkExchange, head: LinkRequestHead): ExchangeHandlers;
  control(message: ControlMessage): void;
  /** Send nothing until `drained` is called: something else goes over the socket first. Default false. */
  held?: boolean;
  /** The peer broke the protocol or the socket failed: the link is closed and every exchange was reset. */
  failed(error: LinkProtocolError): void;
}

/**
 * A protocol on a socket: the one place where the link's messages meet I/O. Whatever is produced in one turn of
 * the event loop leaves in as few messages as possible, and nothing is sent while the socket is full.
 */
export class Link {
  readonly connection: LinkConnection;
  readonly #options: LinkOptions;
  readonly #exchanges = new Map<ExchangeId, LinkExchange>();
  readonly #touched: LinkExchange[] = [];
  #flushScheduled = false;
  #socketFull = false;
  #closed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#socketFull = options.held ?? false;
    this.connection = options.connection((event) => this.#on(event));
  }

  get open(): number {
    return this.#exchanges.size;
  }

  get closed(): boolean {
    return this.#closed;
  }

  openExchange(head: LinkRequestHead, handlers: ExchangeHandlers): LinkExchange {
    const exchange = new LinkExchange(this, this.connection.openExchange(head));
    exchange.handlers = handlers;
    exchange.sentAll = !head.hasBody;
    this.#exchanges.set(exchange.id, exchange);
    this.scheduleFlush();
    return exchange;
  }

  sendControl(message: ControlMessage): void {
    this.connection.sendControl(message);
    this.scheduleFlush();
  }

  /** A message came off the socket. */
  receive(message: string | Uint8Array): void {
    if (this.#closed) return;
    try {
      this.connection.receive(message);
    } catch (error) {
      if (!(error instanceof LinkProtocolError)) throw error;
      this.#fail(error);
    }
    for (const exchange of this.#touched) exchange.settle();
    this.#touched.length = 0;
    this.scheduleFlush();
  }

  /** The socket has room again. */
  drained(): void {
    this.#socketFull = false;
    this.flush();
  }

  /** Send what there is at the end of this turn of the event loop: what all its sockets brought goes together. */
  scheduleFlush(): void {
    if (this.#flushScheduled || this.#socketFull || this.#closed) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.flush();
    });
  }

  flush(): void {
    while (!this.#socketFull && !this.#closed) {
      const message = this.connection.next();
      if (message === undefined) return;
      const result = this.#options.socket.send(message);
      if (result === "full") this.#socketFull = true;
      if (result === "lost") this.#fail(new LinkProtocolError("The socket dropped a message"));
    }
  }

  /** Say goodbye: what is queued and may be sent goes out first. */
  close(code: number, reason: string): void {
    this.flush();
    if (!this.#closed) this.#options.socket.close(code, reason);
  }

  /** The socket is gone: every exchange ends. Idempotent. */
  lost(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const exchange of this.#exchanges.values()) exchange.handlers.reset("link_lost", "");
    this.#exchanges.clear();
  }

  forget(exchange: LinkExchange): void {
    this.#exchanges.delete(exchange.id);
  }

  #fail(error: LinkProtocolError): void {
    if (this.#closed) return;
    this.lost();
    this.#options.failed(error);
  }

  #on(event: LinkEvent): void {
    if (event.type === "control") return this.#options.control(event.message);
    if (event.type === "request") return this.#onRequest(event.exchange, event.head);
    const exchange = this.#exchanges.get(event.exchange);
    if (!exchange) return;
    exchange.on(event);
    if (exchange.touched || !exchange.handlers.settled) return;
    exchange.touched = true;
    this.#touched.push(exchange);
  }

  #onRequest(id: ExchangeId, head: LinkRequestHead): void {
    const exchange = new LinkExchange(this, id);
    this.#exchanges.set(id, exchange);
    if (!head.hasBody) exchange.receivedAll = true;
    exchange.handlers = this.#options.request!(exchange, head);
  }
}

/** One exchange of a link, as whoever works on it holds it. Every call is ignored once the exchange is over. */
export class LinkExchange {
  handlers!: ExchangeHandlers;
  touched = false;
  receivedAll = false;
  sentAll = false;
  readonly #link: Link;

  constructor(
    link: Link,
    readonly id: ExchangeId,
  ) {
    this.#link = link;
  }

  started(): void {
    this.#link.connection.sendStarted(this.id);
    this.#link.scheduleFlush();
  }

  respond(head: LinkResponseHead): void {
    this.#link.connection.sendResponse(this.id, head);
    this.#link.scheduleFlush();
  }

  /** Copied before the call returns. False: wait for `writable`. */
  write(bytes: Uint8Array, text = false): boolean {
    const { connection } = this.#link;
    let room = true;
    for (let at = 0; at < bytes.length; at += MAX_DATA_BYTES) {
      if (at > 0) this.#link.flush();
      const whole = bytes.length <= MAX_DATA_BYTES;
      room = connection.sendData(this.id, whole ? bytes : bytes.subarray(at, at + MAX_DATA_BYTES), text);
    }
    this.#link.scheduleFlush();
    return room;
  }

  end(): void {
    this.#link.connection.sendEnd(this.id);
    this.sentAll = true;
    this.#forgetIfOver();
    this.#link.scheduleFlush();
  }

  /** Give up on it: no handler is called any more. */
  reset(code: ResetCode, text = ""): void {
    this.#link.forget(this);
    if (this.#link.closed) return;
    this.#link.connection.sendReset(this.id, code, text);
    this.#link.scheduleFlush();
  }

  /** This many bytes of `data` were passed on; the peer may send as many again. */
  consumed(bytes: number): void {
    this.#link.connection.consumed(this.id, bytes);
    this.#link.scheduleFlush();
  }

  settle(): void {
    this.touched = false;
    this.handlers.settled?.();
  }

  on(event: Exclude<LinkEvent, { type: "request" | "control" }>): void {
    const { handlers } = this;
    switch (event.type) {
      case "data":
        return handlers.data(event.bytes, event.text === true);
      case "started":
        return handlers.started?.();
      case "response":
        return handlers.response?.(event.head);
      case "writable":
        return handlers.writable?.();
      case "reset":
        this.#link.forget(this);
        return handlers.reset(event.code, event.text);
      case "end":
        this.receivedAll = true;
        this.#forgetIfOver();
        return handlers.end();
    }
  }

  #forgetIfOver(): void {
    if (this.receivedAll && this.sentAll) this.#link.forget(this);
  }
}
