// https://docs.deno.com/api/node/http/
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { WebSocketServer } from "ws";
import { ReceivedFields } from "../received_fields.ts";
import { requestOf, targetOf } from "./deno_request.ts";
import { DenoSocket } from "./deno_socket.ts";
import { peerAddress } from "./listening.ts";
import type { RequestContext, SocketHandlers } from "./ports.ts";

/** What came in where a WebSocket is asked for, in place of a body. */
export interface Upgradable {
  socket: Duplex;
  /** What has arrived on the connection behind the request. */
  takeRest(): Buffer;
}

export interface DenoContextOptions {
  secure: boolean;
  webSockets: WebSocketServer;
  upgradable?: Upgradable | undefined;
}

/** 16 bytes in base64 (RFC 6455 4.1). */
const KEY = /^[+/\dA-Za-z]{22}==$/;

export class DenoContext implements RequestContext {
  /** A response was returned: from then on its body tells that the client left. */
  answered = false;
  upgraded = false;
  readonly target: string;
  readonly fields: ReceivedFields;
  readonly request: Request;
  /** Known only as long as the client is there. */
  readonly peer: string;

  constructor(
    private readonly incoming: IncomingMessage,
    private readonly outgoing: ServerResponse,
    private readonly options: DenoContextOptions,
  ) {
    this.peer = peerAddress(incoming.socket.remoteAddress);
    this.target = targetOf(incoming);
    this.request = requestOf(incoming, this.target, options.secure);
    this.fields = new ReceivedFields(this.request.headers);
  }

  get secure(): boolean {
    return this.options.secure;
  }

  onGone(gone: () => void): void {
    if (this.outgoing.destroyed) return gone();
    this.outgoing.on("close", () => {
      if (!this.answered) gone();
    });
  }

  upgrade(handlers: SocketHandlers, protocol?: string): Response {
    const { incoming, outgoing } = this;
    const { upgradable, webSockets } = this.options;
    const { "sec-websocket-version": version, "sec-websocket-key": key = "" } = incoming.headers;
    if (
      !upgradable ||
      incoming.method !== "GET" ||
      version !== "13" ||
      !KEY.test(key) ||
      outgoing.destroyed
    ) {
      throw new TypeError(
        "Cannot upgrade the request: it asks for no WebSocket of version 13 with GET, or its client has left",
      );
    }
    this.upgraded = true;
    const { socket, takeRest } = upgradable;
    outgoing.detachSocket(incoming.socket);
    // It answers with the first protocol that is offered: with none when none is.
    if (protocol) incoming.headers["sec-websocket-protocol"] = protocol;
    else delete incoming.headers["sec-websocket-protocol"];
    let isOpen = false;
    webSockets.handleUpgrade(incoming, socket, takeRest(), (ws) => {
      isOpen = true;
      // The close that follows tells.
      ws.on("error", () => {});
      const opened = new DenoSocket(ws, handlers, "server");
      handlers.open?.(opened);
    });
    if (!isOpen) throw new TypeError("Cannot upgrade the request: its handshake was answered with a refusal");
    return new Response();
  }
}
