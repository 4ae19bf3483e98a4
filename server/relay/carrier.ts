import type { LinkRequestHead, ResetCode } from "../../shared/link/events.ts";
import type { ExchangeHandlers } from "../../shared/link/link.ts";

/** What an attempt is made over: a worker's link, or the way to a provider. */
export interface Carrier {
  /**
   * Start an exchange. No handler is called before this returns.
   * @throws RelayFailure, RangeError: see the link's connection
   */
  openExchange(head: LinkRequestHead, handlers: ExchangeHandlers): CarriedExchange;
}

/** One exchange, as the relay holds it. Every call is ignored once it is over. */
export interface CarriedExchange {
  /** Copied before the call returns. False: wait for `writable`. */
  write(bytes: Uint8Array): boolean;
  /** What is there of the request was written: an exchange that lets it leave together need not wait for more. */
  flush?(): void;
  /** The request's body is complete. */
  end(): void;
  /** Give up on it: no handler is called any more, but for the `settled` that is due after an `end`. */
  reset(code: ResetCode, text?: string): void;
  /** This many bytes of `data` were passed on; as many may come again. */
  consumed(bytes: number): void;
}
