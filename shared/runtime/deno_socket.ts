// https://github.com/websockets/ws/blob/8.23.0/doc/ws.md
import type { RawData, WebSocket } from "ws";
import { closeSocket } from "./close_frame.ts";
import { DrainWatch } from "./drain_watch.ts";
import type { MessageSocket, SocketHandlers } from "./ports.ts";

/** An open WebSocket, of either side. */
export class DenoSocket implements MessageSocket {
  readonly #drain: DrainWatch;

  constructor(
    private readonly ws: WebSocket,
    handlers: SocketHandlers,
    private readonly side: "client" | "server",
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
    // A client masks into memory of its own; what a server is given, it keeps. (`slice` of a Buffer copies nothing.)
    const isKept = this.side === "server" && typeof message !== "string";
    this.ws.send(isKept ? new Uint8Array(message) : message);
    return this.#drain.sent();
  }

  ping(): void {
    if (this.ws.readyState === this.ws.OPEN) this.ws.ping();
  }

  close(code: number, reason: string): void {
    closeSocket(this.ws, code, reason);
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
