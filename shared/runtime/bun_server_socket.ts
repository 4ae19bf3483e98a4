// https://bun.com/docs/api/websockets
import { passed } from "./bun_garbage.ts";
import { closeReason, isAbrupt } from "./close_frame.ts";
import type { MessageSocket, SocketHandlers } from "./ports.ts";

/**
 * Bun drops a message that would make the backlog longer than this. Whoever sends stops at "full", megabytes
 * earlier; this is for whoever does not.
 */
const BACKLOG_LIMIT_BYTES = 1024 * 1024 * 1024;

/** The `data` of a `ServerWebSocket`: our socket and whom it tells. */
export class BunServerSocket implements MessageSocket {
  /** Set in `open`, before anybody else sees this. */
  ws!: Bun.ServerWebSocket<BunServerSocket>;
  full = false;

  constructor(readonly handlers: SocketHandlers) {}

  get bufferedBytes(): number {
    return this.ws.getBufferedAmount();
  }

  send(message: string | Uint8Array): "sent" | "full" | "lost" {
    passed(message.length);
    const taken = this.ws.send(message as string | Uint8Array<ArrayBuffer>);
    if (taken > 0) return "sent";
    if (taken === 0) return message.length === 0 && this.ws.readyState === WebSocket.OPEN ? "sent" : "lost";
    this.full = true;
    return "full";
  }

  ping(): void {
    this.ws.ping();
  }

  close(code: number, reason: string): void {
    if (isAbrupt(code)) this.ws.terminate();
    else this.ws.close(code, closeReason(reason));
  }

  terminate(): void {
    this.ws.terminate();
  }
}

export function serverSocket(handlers: SocketHandlers): BunServerSocket {
  return new BunServerSocket(handlers);
}

/** One object for all sockets; each socket's own state is its `data`. */
export function socketHandlers(maxMessageBytes: number): Bun.WebSocketHandler<BunServerSocket> {
  return {
    perMessageDeflate: false,
    // Whoever owns the socket pings, and keeps the time.
    idleTimeout: 0,
    sendPings: false,
    maxPayloadLength: maxMessageBytes,
    backpressureLimit: BACKLOG_LIMIT_BYTES,
    closeOnBackpressureLimit: false,
    open(ws) {
      ws.binaryType = "uint8array";
      ws.data.ws = ws;
      ws.data.handlers.open?.(ws.data);
    },
    message(ws, message) {
      passed(message.length);
      ws.data.handlers.message(message);
    },
    drain(ws) {
      // Also called for a first part of the backlog, and after sends that nobody was told about.
      if (!ws.data.full || ws.getBufferedAmount() > 0) return;
      ws.data.full = false;
      ws.data.handlers.drain();
    },
    ping(ws) {
      ws.data.handlers.pong?.();
    },
    pong(ws) {
      ws.data.handlers.pong?.();
    },
    close(ws, code, reason) {
      ws.data.handlers.closed(code, reason);
    },
  };
}
