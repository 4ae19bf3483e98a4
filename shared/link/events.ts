import type { HeaderPairs } from "../http1/types.ts";
import type { ControlMessage } from "./messages.ts";

/**
 * What both forms of the link turn into. Above the link nothing knows which form is in use: an *exchange* is a
 * request head, body bytes, end, and the same back, or a reset at any point.
 */

/** Names an exchange on its link. Given by the relay, never used twice on one link. */
export type ExchangeId = number;

export interface LinkRequestHead {
  /** Upper case. */
  method: string;
  /** Path and query, exactly as it is to be forwarded. */
  target: string;
  /**
   * What crossed the relay. A `content-length` is there when the length of the body is known and says how the
   * backend request is framed; other framing fields are not.
   */
  headers: HeaderPairs;
  /** False: the request ends with its head. */
  hasBody: boolean;
  /** The client asked for a stream. A fact for the plain form; the framed form streams everything. */
  streaming: boolean;
  /** The client asks for a WebSocket. */
  upgrade: boolean;
  /** The model that routing saw, "" for none. Only the plain form carries it. */
  model: string;
}

export interface LinkResponseHead {
  /** 200–599. */
  status: number;
  /** Hop-by-hop fields are gone. A `content-length` is there when the backend gave one. */
  headers: HeaderPairs;
}

/** Why an exchange ended before its end. Stands in a RESET frame as its index in this list. */
export const RESET_CODES = [
  /** The client left, or the relay gave up on it: stop working. */
  "cancelled",
  /** The worker did not start it: no slot, draining, or a path it does not serve. Safe to send elsewhere. */
  "refused",
  /** No connection to the backend, nothing was written to it. Safe to send elsewhere. */
  "backend_unreachable",
  /** The backend closed or broke its answer. */
  "backend_broke_off",
  /** The backend did not speak HTTP. */
  "backend_invalid",
  /** A deadline of the sender passed. */
  "timeout",
  /** This form of the link cannot carry these bytes (plain: text only). */
  "text_only",
  /** The peer let more bytes wait than may be kept (plain form, which has no flow control). */
  "overflow",
  /** The link was lost. Never on the wire: each end says it to itself. */
  "link_lost",
  /** This form of the link cannot carry a body of this length (plain: one message). Nothing was sent. */
  "too_large",
  /** The worker answered nonsense: a status outside 200–599, text that was no text. */
  "invalid",
] as const;
export type ResetCode = (typeof RESET_CODES)[number];

export type LinkEvent =
  /** To the worker. `exchange` is new. */
  | { type: "request"; exchange: ExchangeId; head: LinkRequestHead }
  /** To the relay: from here on the backend may have seen the request. */
  | { type: "started"; exchange: ExchangeId }
  | { type: "response"; exchange: ExchangeId; head: LinkResponseHead }
  /** Bytes of a body, never none: a part of the socket's message, as long as that is there. `text`: of a WebSocket's. */
  | { type: "data"; exchange: ExchangeId; bytes: Uint8Array; text?: boolean }
  | { type: "end"; exchange: ExchangeId }
  | { type: "reset"; exchange: ExchangeId; code: ResetCode; text: string }
  /** To the relay, after its own reset: nothing of this exchange runs any more. */
  | { type: "reset_ack"; exchange: ExchangeId }
  /** `sendData` said false before; now there is room. */
  | { type: "writable"; exchange: ExchangeId }
  | { type: "control"; message: ControlMessage };

/**
 * One link's protocol: no I/O, no clock. Socket messages in (`receive`) → events out (`emit`, given at
 * construction, called during `receive` and `next`); calls in → socket messages out (`next`).
 * After `LinkProtocolError` the connection is of no further use.
 */
export interface LinkConnection {
  readonly form: "plain" | "framed";
  /** Exchanges that are not over on both sides. */
  readonly open: number;

  /** Take one message off the socket. @throws LinkProtocolError when it is not of the protocol. */
  receive(message: string | Uint8Array): void;
  /**
   * The next message for the socket, or undefined when there is nothing to send or all of it waits for credit.
   * Its bytes are valid until the connection is called again.
   * @throws LinkProtocolError when the peer leaves too much unanswered
   */
  next(): string | Uint8Array | undefined;

  /**
   * Relay: start an exchange.
   * @throws RelayFailure `header_too_large`
   * @throws RangeError when as many as may be are open
   * @throws LinkProtocolError when the peer takes nothing
   */
  openExchange(head: LinkRequestHead): ExchangeId;
  /** Worker: the backend is about to be contacted. */
  sendStarted(exchange: ExchangeId): void;
  /** Worker: the response's head. */
  sendResponse(exchange: ExchangeId, head: LinkResponseHead): void;
  /**
   * Either side: bytes of the body it sends, copied before the call returns. False: wait for `writable` (what
   * was given is kept). Ignored for an exchange that is over.
   */
  sendData(exchange: ExchangeId, bytes: Uint8Array, text?: boolean): boolean;
  sendEnd(exchange: ExchangeId): void;
  /** Give up on an exchange. No event of it follows, but for `reset_ack`. Ignored when it is over. */
  sendReset(exchange: ExchangeId, code: ResetCode, text: string): void;
  /** Either side: this many bytes of `data` events were passed on; the peer may send as many again. */
  consumed(exchange: ExchangeId, bytes: number): void;
  sendControl(message: ControlMessage): void;
}

/** The peer broke the protocol. The link is closed; `message` says what was wanted and what was found. */
export class LinkProtocolError extends Error {
  override readonly name = "LinkProtocolError";
}
