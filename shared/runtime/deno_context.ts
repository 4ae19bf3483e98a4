// https://docs.deno.com/api/deno/~/Deno.serve
import { Deno, type DenoRequestInfo } from "./deno_api.ts";
import type { OpenSockets } from "./deno_open_sockets.ts";
import { DenoServerSocket } from "./deno_server_socket.ts";
import { peerAddress } from "./listening.ts";
import type { RequestContext, SocketHandlers } from "./ports.ts";
import { normalTarget } from "./target.ts";

/**
 * Deno's own pings, as its WebSockets have none of ours: after two minutes of silence, and after two more without
 * an answer a peer that is gone, which nothing else would tell, costs no memory any more.
 */
const IDLE_TIMEOUT_S = 240;

export interface DenoContextOptions {
  secure: boolean;
  maxMessageBytes: number;
  sockets: OpenSockets;
}

export class DenoContext implements RequestContext {
  /** A response was returned: from then on its body tells that the client left. */
  answered = false;
  readonly target: string;
  /** The request as Bun would give it: with the `Host` that it named, and for a router with the path of the target. */
  readonly request: Request;

  constructor(
    private readonly original: Request,
    private readonly info: DenoRequestInfo,
    private readonly options: DenoContextOptions,
  ) {
    const host = original.headers.get("host");
    const { origin, written } = split(original.url, host);
    this.target = normalTarget(written);
    const asBunWould = host !== null && (this.target === written || !URL.canParse(origin));
    this.request = asBunWould ? original : new Request(origin + this.target, original);
    // HTTP/2, which Deno.serve cannot be kept from, has it in the URL only.
    if (host === null && !INVENTED.test(origin))
      this.request.headers.set("host", origin.slice(origin.indexOf("//") + 2));
  }

  get peer(): string {
    return peerAddress(this.info.remoteAddr.hostname);
  }

  get secure(): boolean {
    return this.options.secure;
  }

  /** The signal also aborts when a response has been sent, unless Deno runs with `no-legacy-abort`. */
  onGone(gone: () => void): void {
    this.original.signal.addEventListener("abort", () => {
      if (!this.answered) gone();
    });
  }

  upgrade(handlers: SocketHandlers, protocol?: string): Response {
    if (this.original.method !== "GET" || this.original.headers.get("sec-websocket-version") !== "13") {
      throw new TypeError("Cannot upgrade the request: it asks for no WebSocket of version 13 with GET");
    }
    const { response, socket: ws } = Deno.upgradeWebSocket(this.original, {
      idleTimeout: IDLE_TIMEOUT_S,
      ...(protocol && { protocol }),
    });
    const { sockets, maxMessageBytes } = this.options;
    const socket = new DenoServerSocket(ws, handlers, maxMessageBytes);
    // Open only once the response was sent: one that was not returned counts for nothing.
    ws.onopen = () => {
      sockets.opened();
      ws.addEventListener("close", () => sockets.ended(), { once: true });
      handlers.open?.(socket);
    };
    return response;
  }
}

/** What Deno puts into the URL of an HTTP/1 request without a `Host`: it has to be refused (RFC 9112 3.2). */
const INVENTED = /^http:\/\/localhost(?::\d+)?$/;

/** Where a path may begin, behind an origin. */
const TARGET_START = /^(?:[/?#]|$)/;

/**
 * Deno puts the origin, from `Host`, and what was written behind it together without a look at either: a `Host`
 * with a slash would pass for a part of the path. A target in absolute form stands there as it came.
 */
function split(url: string, host: string | null): { origin: string; written: string } {
  const fromHost = `${url.slice(0, url.indexOf("://"))}://${host}`;
  const ofHost = host && url.startsWith(fromHost) && TARGET_START.test(url.slice(fromHost.length));
  const origin = ofHost ? fromHost : /^[^/]*\/\/[^/?#]*/.exec(url)![0];
  return { origin, written: url.slice(origin.length) };
}
