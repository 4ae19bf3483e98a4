import { setImmediate } from "node:timers";
import { OpenTable } from "../open_table.ts";
import { release } from "../release.ts";
import type { MessageSocket } from "../runtime/ports.ts";
import {
  type ExchangeId,
  type LinkConnection,
  type LinkEvent,
  LinkProtocolError,
  type LinkRequestHead,
} from "./events.ts";
import { type ExchangeHandlers, LinkExchange } from "./link_exchange.ts";
import type { ControlMessage } from "./messages.ts";

export { type ExchangeHandlers, LinkExchange } from "./link_exchange.ts";

export interface LinkOptions {
  socket: MessageSocket;
  /** Makes the protocol of this link. */
  connection(emit: (event: LinkEvent) => void): LinkConnection;
  /** A request came (worker only). The handlers are those of its exchange. */
  request?(exchange: LinkExchange, head: LinkRequestHead): ExchangeHandlers;
  control(message: ControlMessage): void;
  /** Send nothing until `drained` is called: something else goes over the socket first. Default false. */
  held?: boolean;
  /** The peer broke the protocol or the socket failed. Called before the exchanges learn of it; close the socket. */
  failed(error: LinkProtocolError): void;
  /**
   * A handler threw: a mistake of ours. Its exchange is reset, the others go on. Default: the link fails, with the
   * error as the cause.
   */
  fault?(error: unknown): void;
}

/**
 * A protocol on a socket: the one place where the link's messages meet I/O. Whatever is produced in one turn of
 * the event loop leaves in as few messages as possible, and nothing is sent while the socket is full.
 */
export class Link {
  readonly connection: LinkConnection;
  readonly #options: LinkOptions;
  readonly #exchanges = new OpenTable<LinkExchange>();
  readonly #touched: LinkExchange[] = [];
  #flushScheduled = false;
  #socketFull: boolean;
  #goodbye: { code: number; reason: string } | undefined;
  #saidGoodbye = false;
  #closed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#socketFull = options.held ?? false;
    this.connection = options.connection((event) => this.#on(event));
  }

  /** Exchanges that are not over, or whose last bytes wait here for credit. */
  get open(): number {
    return this.#closed ? 0 : this.connection.open;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Start an exchange. On a link that is closed or closing, or fails over it, `handlers.reset` is called soon.
   * @throws RelayFailure, RangeError: see the connection
   */
  openExchange(head: LinkRequestHead, handlers: ExchangeHandlers): LinkExchange {
    const usable = !this.#closed && !this.#goodbye;
    const id = this.attempt(() => (usable ? this.connection.openExchange(head) : undefined));
    const exchange = new LinkExchange(this, id ?? NO_EXCHANGE, { sentAll: !head.hasBody });
    exchange.handlers = handlers;
    if (id === undefined) queueMicrotask(() => this.#tell(exchange, () => exchange.lost()));
    else this.#exchanges.set(id, exchange);
    this.scheduleFlush();
    return exchange;
  }

  sendControl(message: ControlMessage): void {
    if (this.#closed) return;
    this.connection.sendControl(message);
    this.scheduleFlush();
  }

  /** A message came off the socket. Its bytes are spent when this returns. */
  receive(message: string | Uint8Array): void {
    if (this.#closed) return;
    this.attempt(() => this.connection.receive(message));
    if (this.#touched.length > 0) this.#settle();
    if (typeof message !== "string") release(message);
    this.scheduleFlush();
  }

  /** The socket has room again. */
  drained(): void {
    this.#socketFull = false;
    this.flush();
    if (this.#goodbye && !this.#socketFull) this.#sayGoodbye();
  }

  /** Send what there is at the end of this turn of the event loop: what all its sockets brought goes together. */
  scheduleFlush(): void {
    if (this.#flushScheduled || !this.#maySend) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.flush();
    });
  }

  flush(): void {
    while (this.#maySend) {
      const message = this.attempt(() => this.connection.next());
      if (message === undefined) return;
      const result = this.#options.socket.send(message);
      if (result === "full") this.#socketFull = true;
      if (result === "lost") this.#fail(new LinkProtocolError("The socket dropped a message"));
    }
  }

  /** Say goodbye when what is queued, and may be sent, has gone out. The exchanges end with the socket. */
  close(code: number, reason: string): void {
    this.flush();
    this.#goodbye = { code, reason };
    if (!this.#socketFull) this.#sayGoodbye();
  }

  /** The socket is gone: every exchange ends. Idempotent. */
  lost(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#endAll();
  }

  // --- for its exchanges -----------------------------------------------------------------------------------

  forget(exchange: LinkExchange): void {
    this.#exchanges.delete(exchange.id);
  }

  /** Do something with the connection that may find the link unusable. */
  attempt<T>(action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof LinkProtocolError)) throw error;
      this.#fail(error);
      return undefined;
    }
  }

  // ---------------------------------------------------------------------------------------------------------

  get #maySend(): boolean {
    return !this.#socketFull && !this.#closed && !this.#saidGoodbye;
  }

  #sayGoodbye(): void {
    if (this.#closed || this.#saidGoodbye) return;
    this.#saidGoodbye = true;
    this.#options.socket.close(this.#goodbye!.code, this.#goodbye!.reason);
  }

  #fail(error: LinkProtocolError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.failed(error);
    this.#endAll();
  }

  #endAll(): void {
    const exchanges = this.#exchanges.values();
    this.#exchanges.clear();
    for (const exchange of exchanges) this.#tell(exchange, () => exchange.lost());
  }

  #on(event: LinkEvent): void {
    if (this.#closed) return;
    if (event.type === "control") return this.#tell(undefined, () => this.#options.control(event.message));
    if (event.type === "request") return this.#onRequest(event.exchange, event.head);
    const exchange = this.#exchanges.get(event.exchange);
    if (!exchange) return;
    if (event.type !== "writable") this.#touch(exchange);
    this.#tell(exchange, () => exchange.on(event));
  }

  #onRequest(id: ExchangeId, head: LinkRequestHead): void {
    const exchange = new LinkExchange(this, id, { receivedAll: !head.hasBody });
    this.#exchanges.set(id, exchange);
    this.#touch(exchange);
    this.#tell(exchange, () => {
      exchange.handlers = this.#options.request!(exchange, head);
      if (this.#closed) exchange.lost();
    });
  }

  #touch(exchange: LinkExchange): void {
    if (exchange.touched) return;
    exchange.touched = true;
    this.#touched.push(exchange);
  }

  #settle(): void {
    for (const exchange of this.#touched.splice(0)) this.#tell(exchange, () => exchange.settle());
  }

  /** Run a handler; what it throws must not reach the connection, which has more to read for others. */
  #tell(exchange: LinkExchange | undefined, handler: () => void): void {
    try {
      handler();
    } catch (error) {
      const { fault } = this.#options;
      if (!fault) return this.#fail(new LinkProtocolError("A handler of the link failed", { cause: error }));
      fault(error);
      if (exchange) this.#tell(undefined, () => exchange.breakOff());
    }
  }
}

/** Ids start at 1: the connection ignores whatever is done with this one. */
const NO_EXCHANGE = 0;
