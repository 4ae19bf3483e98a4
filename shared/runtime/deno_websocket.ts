// https://github.com/websockets/ws/blob/8.23.0/doc/ws.md
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { RawData, WebSocket } from "ws";
import { trustToo } from "./authorities.ts";
import { closeReason, isAbrupt } from "./close_frame.ts";
import { DrainWatch } from "./drain_watch.ts";
import type { MessageSocket, SocketHandlers, WebSocketDialOptions } from "./ports.ts";
import { webSocketDialError, webSocketDialTimeout } from "./websocket_dial_error.ts";

/** An open WebSocket that we dialled. */
class DenoClientSocket implements MessageSocket {
  readonly #drain: DrainWatch;

  constructor(
    private readonly ws: WebSocket,
    handlers: SocketHandlers,
  ) {
    this.#drain = new DrainWatch(ws, () => handlers.drain());
    ws.on("message", (data, isBinary) => handlers.message(isBinary ? bytesOf(data) : data.toString()));
    const heard = () => handlers.pong?.();
    ws.on("ping", heard);
    ws.on("pong", heard);
    ws.on("close", (code, reason) => {
      this.#drain.stop();
      handlers.closed(code, reason.toString());
    });
  }

  get bufferedBytes(): number {
    return this.ws.bufferedAmount;
  }

  send(message: string | Uint8Array): "sent" | "full" | "lost" {
    if (this.ws.readyState !== this.ws.OPEN) return "lost";
    this.ws.send(message);
    return this.#drain.sent();
  }

  ping(): boolean {
    if (this.ws.readyState === this.ws.OPEN) this.ws.ping();
    return true;
  }

  close(code: number, reason: string): void {
    if (isAbrupt(code)) this.ws.terminate();
    else if (code === 1005) this.ws.close();
    else this.ws.close(code, closeReason(reason));
  }

  terminate(): void {
    this.ws.terminate();
  }
}

/** The same bytes as a plain Uint8Array: methods of a Buffer do other things, `slice` copies nothing. */
function bytesOf(data: RawData): Uint8Array {
  const { buffer, byteOffset, length } = data as Buffer;
  return new Uint8Array(buffer, byteOffset, length);
}

/** Asks no proxy, whatever `NODE_USE_ENV_PROXY` says: a shared one would. */
function directAgent(url: string): HttpAgent {
  const Agent = /^wss:/i.test(url) ? HttpsAgent : HttpAgent;
  return new Agent({ proxyEnv: {} });
}

/**
 * Not by Deno's own WebSocket, which leaves Nagle's algorithm on and cannot be told otherwise: a small message that
 * follows another waits there for the peer's acknowledgement, 40 ms on Linux, and so did the answer to nearly every
 * request.
 */
export async function dialWebSocket(
  options: WebSocketDialOptions,
  handlers: SocketHandlers,
): Promise<MessageSocket> {
  // Imported here, as neither Bun nor a relay has a use for it.
  const { WebSocket } = await import("ws");
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(options.url, {
      headers: options.headers,
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes,
      agent: directAgent(options.url),
      ...trustToo(options.caPem),
    });
    const timer = setTimeout(() => {
      reject(webSocketDialTimeout(options));
      ws.terminate();
    }, options.timeoutMs);
    // Comes after opening as well, and then the close tells.
    ws.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      // Where each of several addresses failed, there is no message.
      reject(webSocketDialError(options, error.message || `connect ${error.code}`));
    });
    ws.on("open", () => {
      clearTimeout(timer);
      const socket = new DenoClientSocket(ws, handlers);
      handlers.open?.(socket);
      resolve(socket);
    });
  });
}
