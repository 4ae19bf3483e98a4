// https://docs.deno.com/api/web/~/WebSocket
import { closeReason, isAbrupt } from "./close_frame.ts";
import { DrainWatch } from "./drain_watch.ts";
import type { MessageSocket, SocketHandlers } from "./ports.ts";

/** A WebSocket that a client opened. Deno has the browser's interface for it. */
export class DenoServerSocket implements MessageSocket {
  #over = false;
  readonly #drain: DrainWatch;

  constructor(
    private readonly ws: WebSocket,
    private readonly handlers: SocketHandlers,
    private readonly maxMessageBytes: number,
  ) {
    ws.binaryType = "arraybuffer";
    this.#drain = new DrainWatch(ws, () => handlers.drain());
    ws.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (!this.#over) this.#received(typeof data === "string" ? data : new Uint8Array(data));
    };
    // A connection that broke has code 0 there; after an error, two of these may come.
    ws.onclose = ({ code, reason }) => this.#closed(code || 1006, reason);
  }

  get bufferedBytes(): number {
    return this.ws.bufferedAmount;
  }

  send(message: string | Uint8Array): "sent" | "full" | "lost" {
    if (this.#over || this.ws.readyState !== WebSocket.OPEN) return "lost";
    this.ws.send(message as string | Uint8Array<ArrayBuffer>);
    return this.#drain.sent();
  }

  ping(): boolean {
    return false;
  }

  close(code: number, reason: string): void {
    if (isAbrupt(code)) return this.terminate();
    if (code === 1005) return this.ws.close();
    this.ws.close(code, closeReason(reason));
  }

  /** Deno cannot drop a connection: it says goodbye, and whatever comes then is ignored. */
  terminate(): void {
    if (this.#over) return;
    this.ws.close();
    this.#closed(1006, "");
  }

  #received(message: string | Uint8Array): void {
    if (message.length > this.maxMessageBytes) return this.close(1009, "message too long");
    this.handlers.message(message);
  }

  #closed(code: number, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#drain.stop();
    this.handlers.closed(code, reason);
  }
}
