/**
 * What Signalbox needs of a JavaScript runtime, and no more: a listener for HTTP and WebSocket, a dialler for
 * TCP, TLS and WebSocket, and the process it runs in. `bun.ts` and `deno.ts` implement it, `current.ts` picks
 * one, and `tests/shared/runtime/contract.ts` is what both must pass. Nothing else in the project names `Bun`
 * or `Deno`.
 */

import type { FieldReader } from "../received_fields.ts";

/** The runtime in use. Where the two differ, and what the adapters make of it: `docs/runtimes.md`. */
export interface Runtime {
  readonly name: "bun" | "deno";
  readonly version: string;
  /** Bind and serve. Rejects with a `PortInUse` or the system's error when the address cannot be had. */
  listen(options: ListenOptions): Promise<Listener>;
  /** Open a TCP or TLS connection. Resolves when bytes may flow; rejects with a `DialError`. */
  dial(options: DialOptions, handlers: ByteHandlers): Promise<ByteConnection>;
  /**
   * Open a WebSocket as a client, without a proxy. Resolves when it is open; rejects with a `DialError`, or with a
   * `SyntaxError` when the URL is none of a WebSocket.
   */
  dialWebSocket(options: WebSocketDialOptions, handlers: SocketHandlers): Promise<MessageSocket>;
  /**
   * A response body that is written to rather than read from. The cheapest way to stream that the runtime has;
   * what reaches the client is exactly what was written.
   */
  streamingBody(source: BodySource): ReadableStream<Uint8Array>;
}

// --- listening -------------------------------------------------------------------------------------------

export interface ListenOptions {
  /** A unix socket in place of the two below: its path. One that nobody listens on any more is replaced. */
  unix?: string;
  hostname: string;
  /** 0 takes a free port; the listener says which. */
  port: number;
  tls?: { certPem: string; keyPem: string };
  /**
   * A longer request body is cut off by the runtime (413) before the handler could count it: set it high. Deno has
   * no such limit, so whoever reads counts as well.
   */
  maxRequestBodyBytes: number;
  /** A longer WebSocket message closes that socket. */
  maxMessageBytes: number;
  /**
   * Every HTTP request that the runtime could parse, upgrades included, but of a client that has left by then. Throwing is a bug: it answers 500 without
   * a body, and nobody logs it. The runtime never times a request out by itself: whoever answers keeps the
   * deadlines. A body that nobody reads holds its client back; a response without reading it is fine.
   */
  handle(request: Request, context: RequestContext): Response | Promise<Response>;
}

/** What is known of a request beside the `Request` itself. */
export interface RequestContext {
  /** The peer's IP address as text, without a port; "" on a unix socket. */
  readonly peer: string;
  readonly secure: boolean;
  /**
   * The path and query to forward: dot segments resolved and otherwise as the client wrote it, the same string
   * on every runtime. Starts with "/".
   */
  readonly target: string;
  /** Its header fields. */
  readonly fields: FieldReader;
  /** It came in where only upstreams come that may name an endpoint; for whoever made the listener to set. */
  forOverrides?: boolean;
  /**
   * Called once when the client leaves before a `Response` was returned: at once when it has left already, so it may
   * be asked for late, by who lasts long enough to be worth a listener. After that, a streamed body's own `cancel`
   * tells. Not called for a request that was answered. While the request body is being read, reading may fail first,
   * or instead if it is answered thereupon.
   */
  onGone(gone: () => void): void;
  /**
   * Turn this request into a WebSocket. May be called after an `await`. Return the result from `handle` at once.
   * `handlers.open` may be called before this returns. Without a protocol none is chosen, whatever is offered.
   *
   * @throws TypeError when the request is no upgrade that can be done, or its client has left.
   */
  upgrade(handlers: SocketHandlers, protocol?: string): Response;
}

export interface Listener {
  /** Of a unix socket its path, and port 0. */
  readonly hostname: string;
  readonly port: number;
  /**
   * Use another certificate for connections from now on; open ones stay.
   *
   * @throws Error when the two are not PEM or do not belong together; the old ones stay in use.
   */
  reloadTls(tls: { certPem: string; keyPem: string }): void;
  /**
   * Take no new connections and close the idle ones; resolves when the others, WebSockets too, have ended, or at
   * once with `force`.
   */
  stop(force?: boolean): Promise<void>;
}

/** Writes a streamed response body. */
export interface BodySink {
  /**
   * The bytes are the caller's again when it returns. False: the client is behind, write no more until `drain`
   * (what was written is kept). Reaches the client at the latest at `flush`. Like all of these, without
   * effect after `end`, `abort` or `cancel`.
   */
  write(bytes: Uint8Array): boolean;
  /** Send what was written. One call for many writes is cheaper than one each. */
  flush(): void;
  /** The body is complete. */
  end(): void;
  /** The body broke off: the client sees a broken connection, never a clean end. What it did not get yet is lost. */
  abort(): void;
}

/** Who writes a streamed response body. None of these is called after `end`, `abort` or `cancel`. */
export interface BodySource {
  /**
   * The runtime is ready for bytes. Called once, maybe before the response is returned, but not by `streamingBody`
   * itself; never for HEAD, which only cancels, nor when the client was gone before there was a response. On Bun
   * the end of the response head waits for the first byte.
   */
  start(sink: BodySink): void;
  /** There is room again after `write` returned false. */
  drain(): void;
  /** The client left. */
  cancel(): void;
}

// --- byte connections ------------------------------------------------------------------------------------

export interface DialOptions {
  /** A name or an IP address (IPv6 without brackets). */
  host: string;
  port: number;
  /** Connect to this address instead of resolving `host`: a checked address stays the one that is used. */
  address?: string;
  tls?: {
    /** The name for SNI and for the certificate check. */
    serverName: string;
    /** More authorities to trust, PEM. The public ones stay trusted. */
    caPem?: string[];
  };
  /** For the whole of resolving, connecting and the TLS handshake. */
  timeoutMs: number;
  /**
   * What the peer may send that nobody has read: for one that is near, as it limits how much is on the way. Kept to on
   * Bun, on Linux. Without it the kernel decides, and takes megabytes.
   */
  unreadBytes?: number;
}

export interface ByteConnection {
  /**
   * The bytes are the caller's again when it returns. False: the kernel's buffer is full and the rest is kept
   * here, write no more until `drain`; or the connection is closed.
   */
  write(bytes: Uint8Array): boolean;
  /** Stop reading: no `data` is delivered (one that was under way may be) until `resume`. */
  pause(): void;
  resume(): void;
  /** Close both ways at once, dropping what was not written. Idempotent; `closed` is not called after it. */
  close(): void;
}

export interface ByteHandlers {
  /** Bytes that arrived, maybe before `dial` has resolved. Valid only during the call: copy what is kept. */
  data(bytes: Uint8Array): void;
  drain(): void;
  /** The peer closed (cleanly: no error) or the connection broke. Called once. */
  closed(error?: Error): void;
}

// --- WebSocket -------------------------------------------------------------------------------------------

export interface WebSocketDialOptions {
  /** ws:// or wss:// */
  url: string;
  headers: Record<string, string>;
  caPem?: string[];
  timeoutMs: number;
  maxMessageBytes: number;
}

/** An open WebSocket, of either side. */
export interface MessageSocket {
  /**
   * Queue one message. Bytes are the caller's again when it returns. "lost": it was dropped, the socket is of no
   * further use.
   */
  send(message: string | Uint8Array): "sent" | "full" | "lost";
  /** Bytes queued here and not yet taken by the kernel. */
  readonly bufferedBytes: number;
  /** A WebSocket ping. `pong` answers. */
  ping(): void;
  /**
   * Start the closing handshake. Idempotent. 1005 sends no code, and one that no frame may carry (1006) drops the
   * connection. A reason is cut to the 123 bytes there are.
   */
  close(code: number, reason: string): void;
  /** Drop the connection without a handshake; `closed` with 1006 follows. */
  terminate(): void;
}

export interface SocketHandlers {
  /** Server side: the upgrade is done. Client side: called before `dialWebSocket` resolves. */
  open?(socket: MessageSocket): void;
  /** Bytes may be kept: each message has its own. */
  message(data: string | Uint8Array): void;
  /** After `send` gave "full": there is room again. Once, however often it gave that. */
  drain(): void;
  /** Any WebSocket ping or pong from the peer. */
  pong?(): void;
  /** Called once, also after our own `close`; 1006 when there was no handshake. */
  closed(code: number, reason: string): void;
}

/** Why a connection could not be opened. `kind` decides what a caller may do about it. */
export class DialError extends Error {
  override readonly name = "DialError";
  constructor(
    readonly kind: "resolve" | "refused" | "unreachable" | "timeout" | "tls" | "handshake",
    message: string,
    options?: ErrorOptions & {
      /** For "handshake": the status that the server answered an upgrade with, where the runtime shows it. */
      status?: number;
    },
  ) {
    super(message, options);
    if (options?.status !== undefined) this.status = options.status;
  }
  readonly status?: number;
}

/** `listen` found the port taken. */
export class PortInUse extends Error {
  override readonly name = "PortInUse";
}
