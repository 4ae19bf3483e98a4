// https://bun.com/docs/api/websockets#connect-to-a-websocket-server
import { trustToo } from "./authorities.ts";
import { passed } from "./bun_garbage.ts";
import { closeSocket } from "./close_frame.ts";
import { DrainWatch } from "./drain_watch.ts";
import type { MessageSocket, SocketHandlers, WebSocketDialOptions } from "./ports.ts";
import { webSocketDialError, webSocketDialTimeout } from "./websocket_dial_error.ts";

/** The class as Bun has it; the compiler knows the standard's. */
const BunWebSocket = WebSocket as unknown as new (
  url: string,
  options: Bun.WebSocketOptions,
) => Bun.WebSocket;

/** An open WebSocket that we dialled. */
class BunClientSocket implements MessageSocket {
  readonly #drain: DrainWatch;

  constructor(
    private readonly ws: Bun.WebSocket,
    handlers: SocketHandlers,
    maxMessageBytes: number,
  ) {
    this.#drain = new DrainWatch(ws, () => handlers.drain());
    ws.onmessage = ({ data }: MessageEvent<string | Uint8Array>) => {
      passed(data.length);
      if (data.length > maxMessageBytes) return this.close(1009, "message too long");
      handlers.message(data);
    };
    const heard = () => handlers.pong?.();
    ws.addEventListener("ping", heard);
    ws.addEventListener("pong", heard);
    ws.onclose = ({ code, reason }) => {
      this.#drain.stop();
      handlers.closed(code, reason);
    };
    ws.onerror = null;
  }

  get bufferedBytes(): number {
    return this.ws.bufferedAmount;
  }

  send(message: string | Uint8Array): "sent" | "full" | "lost" {
    if (this.ws.readyState !== WebSocket.OPEN) return "lost";
    this.ws.send(message as string | Uint8Array<ArrayBuffer>);
    return this.#drain.sent();
  }

  ping(): void {
    if (this.ws.readyState === WebSocket.OPEN) this.ws.ping();
  }

  close(code: number, reason: string): void {
    closeSocket(this.ws, code, reason);
  }

  terminate(): void {
    this.ws.terminate();
  }
}

/** Bun's client asks no proxy unless told to. Its handshake has no time limit: ours ends it. */
export function dialWebSocket(
  options: WebSocketDialOptions,
  handlers: SocketHandlers,
): Promise<MessageSocket> {
  return new Promise((resolve, reject) => {
    const ws = new BunWebSocket(options.url, {
      headers: options.headers,
      perMessageDeflate: false,
      tls: trustToo(options.caPem),
    });
    const timer = setTimeout(() => {
      ws.onerror = null;
      ws.terminate();
      reject(webSocketDialTimeout(options));
    }, options.timeoutMs);
    ws.onerror = (event) => {
      clearTimeout(timer);
      const { error } = event as ErrorEvent;
      reject(webSocketDialError(options, `${error.message} ${error.code ?? ""}`));
    };
    ws.onopen = () => {
      clearTimeout(timer);
      const socket = new BunClientSocket(ws, handlers, options.maxMessageBytes);
      handlers.open?.(socket);
      resolve(socket);
    };
  });
}
