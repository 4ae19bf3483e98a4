/** Header fields in the order they came, duplicates kept; names as written, compared without case. */
export type HeaderPairs = [name: string, value: string][];

/** The head of a request as it goes out. */
export interface Http1RequestHead {
  method: string;
  /** Path and query; starts with "/". Sent as it is. */
  target: string;
  /** Everything but `Host`, `Content-Length`, `Transfer-Encoding` and `Connection`, which the client writes. */
  headers: HeaderPairs;
}

/** How a request body is framed. A length is checked: sending more or less than promised is a local error. */
export type RequestBody = "none" | { length: number } | "chunked";

export interface Http1ResponseHead {
  status: number;
  /** Reason phrase, maybe "". */
  reason: string;
  /** As received, hop-by-hop fields included; the caller decides what crosses. */
  headers: HeaderPairs;
}

/** Where requests go: one pool of connections each. Looked at once when requests give the same object. */
export interface Origin {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly serverName: string; readonly caPem?: string[] };
  /** A checked address to connect to instead of resolving `host`. */
  readonly address?: string;
}

/** How one request may be sent. */
export interface RequestOptions {
  /** The request may be sent again when a pooled connection turns out to be dead. Default: false. */
  idempotent?: boolean;
  /** The whole body, small: sent together with the head. `body` is its length. */
  firstBytes?: Uint8Array | undefined;
}

/**
 * What happens to one request. Called in the order written; after `end` or `failed` nothing is called but a `settled`
 * that is due.
 */
export interface ExchangeHandlers {
  /** A connection is there and the request's first byte is about to be written. */
  started?(): void;
  head(head: Http1ResponseHead): void;
  /** Body bytes, decoded from chunked framing. Valid up to the next `settled` or `failed`: copy what is kept. */
  data(bytes: Uint8Array): void;
  /** The response is complete. */
  end(): void;
  /** There is room again after `write` returned false. */
  drain?(): void;
  /** All that one read of the connection brought was told: the moment to pass it on in one go. */
  settled?(): void;
  failed(failure: Http1Failure): void;
}

/** One request under way. */
export interface ClientExchange {
  /** False: wait for `drain`. Bytes are copied or written before the call returns. */
  write(bytes: Uint8Array): boolean;
  /** The request body is complete. */
  end(): void;
  /** Stop and start the flow of the response: the connection is not read meanwhile. */
  pause(): void;
  resume(): void;
  /** Give up: the connection is closed, no handler is called any more. Idempotent. */
  cancel(): void;
}

/**
 * Why a request to a backend or provider got no whole answer.
 *
 * - `unreachable`: no connection, nothing was written: safe to send elsewhere.
 * - `broke_off`: the connection ended before the response was complete.
 * - `invalid`: the peer did not speak HTTP/1.1 as RFC 9112 wants it.
 * - `timeout`: no connection, no first byte, or no further byte in time; `during` says which.
 * - `local`: we were misused (a body longer than promised, a header with a line break).
 */
export class Http1Failure extends Error {
  override readonly name = "Http1Failure";
  constructor(
    readonly kind: "unreachable" | "broke_off" | "invalid" | "timeout" | "local",
    message: string,
    options?: ErrorOptions & { during?: "connect" | "first_byte" | "body" },
  ) {
    super(message, options);
    if (options?.during) this.during = options.during;
  }
  readonly during?: "connect" | "first_byte" | "body";
}
