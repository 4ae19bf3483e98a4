import { type Clock, MAX_DELAY_MS, type Timer } from "../clock.ts";
import { OpenTable } from "../open_table.ts";
import type { Runtime } from "../runtime/ports.ts";
import { Connection } from "./connection.ts";
import { Exchange, type ExchangeOwner, type ExchangeRequest } from "./exchange.ts";
import { dialFailure, timedOut } from "./failure.ts";
import { Destination } from "./origin.ts";
import { Pool } from "./pool.ts";
import {
  type ClientExchange,
  type ExchangeHandlers,
  Http1Failure,
  type Http1RequestHead,
  type Origin,
  type RequestBody,
  type RequestOptions,
} from "./types.ts";

/** A limit of 0 is none. */
export interface Http1ClientOptions {
  runtime: Pick<Runtime, "dial">;
  clock: Clock;
  /** For the name, the connection and the TLS handshake together. Default: 10 s. */
  connectTimeoutMs?: number;
  /**
   * From the request, or the last of its body that the peer took, to the head of the response; 1xx are none.
   * Default: 300 s, for models that are loaded first.
   */
  firstByteTimeoutMs?: number;
  /** Between two reads of the response's body. Default: 300 s. */
  idleBodyTimeoutMs?: number;
  /** How long an idle connection is used again. Default: 4 s, as uvicorn closes it after 5. */
  keepAliveMs?: number;
  /** More are closed as they become idle. Default: 256. */
  maxIdlePerOrigin?: number;
  /** Of each connection: see `DialOptions`. */
  unreadBytes?: number;
}

/** Deadlines are looked at this often; no exchange needs a timer of its own. Limits are overrun by up to this. */
const SWEEP_INTERVAL_MS = 500;

const NO_LIMIT_MS = Number.POSITIVE_INFINITY;

/**
 * Requests over HTTP/1.1, each on a connection of its own while it lasts. Nothing is followed, decoded, added or
 * sent again on its own account, with the one exception of `idempotent`. There is no cap on connections: how many
 * requests a backend gets is decided by whoever sends them.
 */
export class Http1Client {
  readonly #runtime: Pick<Runtime, "dial">;
  readonly #clock: Clock;
  readonly #connectTimeoutMs: number;
  readonly #unreadBytes: number | undefined;
  readonly #limits: { firstByteMs: number; bodyMs: number };
  readonly #pool: Pool;
  readonly #exchanges = new OpenTable<Exchange>();
  /** Of the last request: most clients have one origin. */
  #destination: Destination | undefined;
  #lastId = 0;
  /** The clock was read then: at the last sweep, or since. */
  #recentMs = 0;
  readonly #owner: ExchangeOwner;
  #sweepTimer: Timer | undefined;
  #closed = false;

  constructor(options: Http1ClientOptions) {
    this.#runtime = options.runtime;
    this.#clock = options.clock;
    this.#connectTimeoutMs = (options.connectTimeoutMs ?? 10_000) || MAX_DELAY_MS;
    this.#unreadBytes = options.unreadBytes;
    this.#limits = {
      firstByteMs: (options.firstByteTimeoutMs ?? 300_000) || NO_LIMIT_MS,
      bodyMs: (options.idleBodyTimeoutMs ?? 300_000) || NO_LIMIT_MS,
    };
    this.#pool = new Pool({
      recentMs: () => this.#recentMs,
      keepAliveMs: options.keepAliveMs ?? 4000,
      maxIdlePerOrigin: options.maxIdlePerOrigin ?? 256,
    });
    this.#owner = {
      nowMs: () => this.#nowMs(),
      sendAgain: (exchange) => this.#dial(exchange),
      finished: (exchange) => this.#exchanges.delete(exchange.id),
    };
  }

  /** Open connections, idle ones included. */
  get connections(): number {
    return this.#pool.size;
  }

  /** Send a request. No handler is called before this returns; every failure goes to `handlers.failed`. */
  request(
    origin: Origin,
    head: Http1RequestHead,
    body: RequestBody,
    handlers: ExchangeHandlers,
    options?: RequestOptions,
  ): ClientExchange {
    try {
      if (this.#closed) throw new Http1Failure("local", "Cannot send a request: the client is closed");
      return this.#open({ to: this.#destinationOf(origin), head, body, handlers, options });
    } catch (error) {
      if (!(error instanceof Http1Failure)) throw error;
      return refused(error, handlers);
    }
  }

  /** Close every connection. Exchanges under way fail as `broke_off`. */
  close(): void {
    this.#closed = true;
    this.#sweepTimer?.cancel();
    this.#sweepTimer = undefined;
    this.#exchanges.forEach((exchange) => {
      exchange.fail(new Http1Failure("broke_off", "Cannot finish the request: the client was closed"));
    });
    this.#pool.closeIdle();
  }

  #open(request: ExchangeRequest): ClientExchange {
    const exchange = new Exchange(++this.#lastId, request, this.#owner);
    this.#exchanges.set(exchange.id, exchange);
    this.#armSweep();
    // Later in this turn: what the caller writes at once leaves together with the head.
    queueMicrotask(() => this.#start(exchange));
    return exchange;
  }

  #destinationOf(origin: Origin): Destination {
    if (this.#destination?.origin !== origin) this.#destination = new Destination(origin);
    return this.#destination;
  }

  #nowMs(): number {
    this.#recentMs = this.#clock.nowMs();
    return this.#recentMs;
  }

  #start(exchange: Exchange): void {
    if (exchange.over) return;
    const nowMs = this.#nowMs();
    const connection = this.#pool.take(exchange.to.key, nowMs);
    if (connection) connection.begin(exchange, nowMs);
    else this.#dial(exchange);
  }

  async #dial(exchange: Exchange): Promise<void> {
    const { key, origin } = exchange.to;
    const { host, port, tls, address } = origin;
    const connection = new Connection(key, this.#pool);
    try {
      const options = {
        host,
        port,
        timeoutMs: this.#connectTimeoutMs,
        ...(tls && { tls }),
        ...(address && { address }),
        ...(this.#unreadBytes !== undefined && { unreadBytes: this.#unreadBytes }),
      };
      const usable = connection.opened(await this.#runtime.dial(options, connection));
      if (exchange.over) return connection.close();
      if (!usable) throw new Error("the connection was closed before a request was sent");
    } catch (error) {
      return exchange.fail(dialFailure(origin, error));
    }
    this.#pool.add(connection);
    connection.begin(exchange, this.#nowMs());
  }

  #armSweep(): void {
    this.#sweepTimer ??= this.#clock.after(SWEEP_INTERVAL_MS, () => this.#sweep());
  }

  #sweep(): void {
    this.#sweepTimer = undefined;
    this.#exchanges.forEach((exchange) => {
      const during = exchange.overdue(this.#limits);
      if (during) exchange.fail(timedOut(during));
    });
    this.#pool.sweep(this.#nowMs());
    if (this.#exchanges.size > 0 || this.#pool.size > 0) this.#armSweep();
  }
}

/** An exchange that failed before it began. */
function refused(failure: Http1Failure, handlers: ExchangeHandlers): ClientExchange {
  let told = false;
  const tell = () => {
    if (!told) handlers.failed(failure);
  };
  queueMicrotask(tell);
  return {
    write: () => true,
    end() {},
    pause() {},
    resume() {},
    cancel() {
      told = true;
    },
  };
}
