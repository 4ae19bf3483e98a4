// https://github.com/websockets/ws/blob/8.23.0/doc/ws.md
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { trustToo } from "./authorities.ts";
import { DenoSocket } from "./deno_socket.ts";
import type { MessageSocket, SocketHandlers, WebSocketDialOptions } from "./ports.ts";
import { webSocketDialError, webSocketDialTimeout } from "./websocket_dial_error.ts";

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
  // Imported here, as Bun has no use for it.
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
      const socket = new DenoSocket(ws, handlers, "client");
      handlers.open?.(socket);
      resolve(socket);
    });
  });
}
