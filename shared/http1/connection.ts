import type { ByteConnection, ByteHandlers } from "../runtime/ports.ts";
import type { Exchange } from "./exchange.ts";
import { brokenOff } from "./failure.ts";
import { ResponseParser } from "./response_parser.ts";
import { Http1Failure } from "./types.ts";

/** What a connection asks of the pool that it belongs to. */
export interface ConnectionOwner {
  /** The exchange is done and the next one may come. */
  released(connection: Connection): void;
  /** Closed, by us or by the peer. Called once. */
  closed(connection: Connection): void;
}

/** One dialled connection: serves one exchange at a time, and watches for the peer's close between them. */
export class Connection implements ByteHandlers {
  /** When it was released last. */
  idleSinceMs = 0;
  readonly #owner: ConnectionOwner;
  readonly #parser = new ResponseParser({
    head: (head) => this.#exchange?.respond(head),
    data: (bytes) => this.#exchange?.data(bytes),
    end: () => this.#complete(),
    switched: () => this.#switched(),
  });
  #bytes: ByteConnection | undefined;
  #exchange: Exchange | undefined;
  /** It served an exchange before this one: the peer may have closed it meanwhile. */
  #used = false;
  #open = true;
  #paused = false;
  /** The peer has not taken yet what was written. */
  #full = false;

  constructor(
    readonly key: string,
    owner: ConnectionOwner,
  ) {
    this.#owner = owner;
  }

  /** The dialler has it ready. False: it was closed meanwhile, by a peer that does not wait for a request. */
  opened(bytes: ByteConnection): boolean {
    this.#bytes = bytes;
    if (!this.#open) bytes.close();
    return this.#open;
  }

  /** Serve this exchange. */
  begin(exchange: Exchange, nowMs: number): void {
    this.#exchange = exchange;
    this.#parser.begin(exchange.method);
    exchange.attach(this, nowMs);
  }

  // --- from the exchange -----------------------------------------------------------------------------------

  write(bytes: Uint8Array): boolean {
    this.#full = !this.#bytes!.write(bytes);
    return !this.#full;
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#bytes?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#bytes?.resume();
  }

  /** The exchange ended early: what is under way on the wire belongs to nobody. */
  abandon(): void {
    this.#exchange = undefined;
    this.close();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#parser.stop();
    this.#bytes?.close();
    this.#owner.closed(this);
  }

  // --- from the runtime ------------------------------------------------------------------------------------

  /** A byte that nobody asked for, while idle or before a request, could become the answer to the next. */
  data(bytes: Uint8Array): void {
    const exchange = this.#exchange;
    if (!exchange) return this.close();
    try {
      this.#parser.receive(bytes);
    } catch (error) {
      this.#fail(error);
    }
    exchange.progressed();
  }

  drain(): void {
    this.#full = false;
    this.#exchange?.drained();
  }

  closed(error?: Error): void {
    if (!this.#open) return;
    const exchange = this.#exchange;
    const unanswered = !this.#parser.begun;
    try {
      if (error) throw brokenOff("a whole response", error);
      this.#parser.eof();
      this.close();
      exchange?.progressed();
    } catch (failure) {
      const stale = this.#used && unanswered && failure instanceof Http1Failure;
      if (!stale || !exchange) return this.#fail(failure);
      this.#exchange = undefined;
      this.close();
      exchange.lost(failure);
    }
  }

  /** `error`: of the parser, or whatever a handler threw. */
  #fail(error: unknown): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.close();
    if (error instanceof Http1Failure) return exchange?.fail(error);
    exchange?.cancel();
    throw error;
  }

  // --- from the parser -------------------------------------------------------------------------------------

  /** Nobody asks for an upgrade here yet. */
  #switched(): void {
    this.#fail(
      new Http1Failure("invalid", "Cannot read the response: wanted no 101, as no upgrade was asked for"),
    );
  }

  #complete(): void {
    const exchange = this.#exchange!;
    this.#exchange = undefined;
    const free = exchange.complete() && this.#parser.reusable && !this.#full;
    // Before the caller is told, whose next request may then use it.
    if (free) {
      this.resume();
      this.#used = true;
      this.#owner.released(this);
    } else {
      this.close();
    }
    exchange.tellEnd();
  }
}
