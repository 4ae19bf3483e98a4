// https://docs.deno.com/api/web/~/WebSocket
import { Deno } from "./deno_api.ts";
import { DenoSocket } from "./deno_socket.ts";
import type { MessageSocket, SocketHandlers, WebSocketDialOptions } from "./ports.ts";
import { webSocketDialError, webSocketDialTimeout } from "./websocket_dial_error.ts";

const PROXY_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];

/** A client that asks no proxy: Deno reads the variables when one is made and knows no other way to say so. */
function directClient(caPem: string[]): { close(): void } {
  const proxies = PROXY_VARIABLES.map((name) => [name, Deno.env.get(name)] as const);
  for (const [name] of proxies) Deno.env.delete(name);
  try {
    return Deno.createHttpClient({ caCerts: caPem });
  } finally {
    for (const [name, value] of proxies) if (value !== undefined) Deno.env.set(name, value);
  }
}

export function dialWebSocket(
  options: WebSocketDialOptions,
  handlers: SocketHandlers,
): Promise<MessageSocket> {
  return new Promise((resolve, reject) => {
    const client = directClient(options.caPem ?? []);
    const ws = new WebSocket(options.url, { headers: options.headers, client } as unknown as string[]);
    const timer = setTimeout(() => {
      settle();
      ws.close();
      reject(webSocketDialTimeout(options));
    }, options.timeoutMs);
    const settle = () => {
      clearTimeout(timer);
      client.close();
      ws.onerror = null;
    };
    ws.onerror = (event) => {
      settle();
      reject(webSocketDialError(options, (event as ErrorEvent).message));
    };
    ws.onopen = () => {
      settle();
      const socket = new DenoSocket(ws, handlers, {
        side: "client",
        maxMessageBytes: options.maxMessageBytes,
      });
      handlers.open?.(socket);
      resolve(socket);
    };
  });
}
