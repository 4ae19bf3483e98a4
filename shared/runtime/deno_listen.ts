// https://docs.deno.com/api/node/http/
import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  ServerResponse,
} from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import { type AddressInfo, isIP, type Socket } from "node:net";
import { clearInterval, setInterval } from "node:timers";
import type { WebSocketServer } from "ws";
import { checkCertificatePair } from "./certificate_pair.ts";
import { DenoContext, type Upgradable } from "./deno_context.ts";
import { hasForeignCoding } from "./deno_request.ts";
import { respond } from "./deno_respond.ts";
import { keepToGroup, portInUse, removeAbandoned } from "./listening.ts";
import type { Listener, ListenOptions } from "./ports.ts";

/** How long the head of a request may take: what Bun gives it. */
const HEADERS_TIMEOUT_MS = 12_000;

/** How often that is looked at. */
const CHECKING_INTERVAL_MS = 2000;

const OPTIONS = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  connectionsCheckingInterval: CHECKING_INTERVAL_MS,
  // Whoever answers keeps these deadlines.
  requestTimeout: 0,
  keepAliveTimeout: 0,
  // Refused by whoever handles requests, in words of its own.
  requireHostHeader: false,
  // A client that would rather speak HTTP/2 (`h2c`) is answered in HTTP/1.1, as if it had not asked.
  shouldUpgradeCallback: ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === "websocket",
} satisfies ServerOptions & { shouldUpgradeCallback(incoming: IncomingMessage): boolean };

/** How often the listening is seen to. */
const LISTEN_AGAIN_MS = 1000;

/** How many connections may wait to be accepted: what node:net asks for. */
const BACKLOG = 511;

/** What a server of node:net listens with. Gone when it is closed. */
type Listening = { _handle?: { listen(backlog: number): number } | null };

class DenoListener implements Listener {
  readonly #server: Server | SecureServer;
  /** Open ones, those of WebSockets too, which a server forgets. */
  readonly #connections = new Set<Socket>();
  #stopping = false;
  #listensAgain: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly options: ListenOptions,
    private readonly webSockets: WebSocketServer,
  ) {
    const { tls } = options;
    const answer: RequestListener = (incoming, outgoing) => void this.#answer(incoming, outgoing);
    this.#server = tls
      ? createSecureServer({ ...OPTIONS, cert: tls.certPem, key: tls.keyPem }, answer)
      : createServer(OPTIONS, answer);
    // It is the length of the head that is limited; fields above a number would be left out without a word.
    this.#server.maxHeadersCount = 0;
    this.#server.on("connection", (socket: Socket) => {
      this.#connections.add(socket);
      socket.once("close", () => this.#connections.delete(socket));
    });
    this.#server.on("upgrade", (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
      const outgoing = answererOf(incoming, socket);
      if (!outgoing) return void socket.destroy();
      const upgradable = upgradableOf(outgoing, socket, head);
      void this.#answer(incoming, outgoing, upgradable);
    });
  }

  async open(): Promise<void> {
    const { unix, hostname, port } = this.options;
    if (unix === undefined) this.#server.listen(port, hostname);
    else this.#server.listen(unix);
    try {
      await once(this.#server, "listening");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EADDRINUSE") throw portInUse(this.options, port, error);
      // What Deno says of an address that this machine does not have.
      throw code === "EINVAL" && isIP(hostname)
        ? Object.assign(error as Error, { code: "EADDRNOTAVAIL" })
        : error;
    }
    this.#listensAgain = setInterval(() => this.#listenAgain(), LISTEN_AGAIN_MS);
    this.#listensAgain.unref();
  }

  /**
   * When the process has no descriptor left for a connection, Deno 2.9 accepts no other ever after, and tells nobody.
   * To be told to listen once more wakes it, and does nothing otherwise. (A unix socket refuses; few may open that.)
   */
  #listenAgain(): void {
    (this.#server as Listening)._handle?.listen(BACKLOG);
  }

  get hostname(): string {
    return this.options.unix ?? this.options.hostname;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  reloadTls(tls: { certPem: string; keyPem: string }): void {
    checkCertificatePair(tls);
    (this.#server as SecureServer).setSecureContext({ cert: tls.certPem, key: tls.keyPem });
  }

  async stop(force = false): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#stopping = true;
    clearInterval(this.#listensAgain);
    this.#server.closeIdleConnections();
    if (force) for (const connection of this.#connections) connection.destroy();
    await ended;
  }

  /** Never rejects: a bug, ours or a handler's, is a 500 without a body. */
  async #answer(incoming: IncomingMessage, outgoing: ServerResponse, upgradable?: Upgradable): Promise<void> {
    if (hasForeignCoding(incoming)) {
      return void outgoing.writeHead(400, ["content-length", "0", "connection", "close"]).end();
    }
    if (this.options.unix === undefined && incoming.socket.remoteAddress === undefined)
      return void outgoing.destroy();
    const secure = this.options.tls !== undefined;
    let context: DenoContext | undefined;
    try {
      context = new DenoContext(incoming, outgoing, {
        secure,
        webSockets: this.webSockets,
        upgradable,
      });
      const response = await this.options.handle(context.request, context);
      context.answered = true;
      if (!context.upgraded) await this.#send(response, incoming, outgoing);
    } catch {
      if (context) context.answered = true;
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(500, ["content-length", "0"]).end();
    }
  }

  async #send(response: Response, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    if (this.#stopping) outgoing.shouldKeepAlive = false;
    // What is left of a body that nobody read, and a connection that nobody is to use again.
    outgoing.once("finish", () => {
      incoming.resume();
      if (this.#stopping) this.#server.closeIdleConnections();
    });
    await respond(response, outgoing);
  }
}

/**
 * A server leaves a connection to whoever might upgrade it: what would answer the request otherwise has to be made.
 * Undefined: a request before it has yet to be answered, so that nothing may be written. Bun ends such a connection too.
 */
function answererOf(incoming: IncomingMessage, socket: Socket): ServerResponse | undefined {
  const outgoing = new ServerResponse(incoming);
  outgoing.shouldKeepAlive = false;
  try {
    outgoing.assignSocket(socket);
  } catch {
    return undefined;
  }
  outgoing.once("finish", () => socket.end());
  return outgoing;
}

/** The connection has to be read, as nothing else tells that the client left. */
function upgradableOf(outgoing: ServerResponse, socket: Socket, head: Buffer): Upgradable {
  const early = [head];
  const keep = (bytes: Buffer) => {
    early.push(bytes);
    socket.pause();
  };
  const leave = () => socket.destroy();
  const drained = () => outgoing.emit("drain");
  socket.on("data", keep).on("end", leave).on("error", leave).on("drain", drained);
  const takeRest = () => {
    socket.off("data", keep).off("end", leave).off("error", leave).off("drain", drained);
    // From here on the connection is read again.
    socket.resume();
    return Buffer.concat(early);
  };
  return { socket, takeRest };
}

export async function listen(options: ListenOptions): Promise<Listener> {
  if (options.unix !== undefined) await removeAbandoned(options.unix);
  // Imported here, as Bun has no use for it.
  const { WebSocketServer } = await import("ws");
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: options.maxMessageBytes,
  });
  const listener = new DenoListener(options, webSockets);
  await listener.open();
  if (options.unix !== undefined) keepToGroup(options.unix);
  return listener;
}
