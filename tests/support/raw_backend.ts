import { Buffer } from "node:buffer";
import net from "node:net";
import tls from "node:tls";
import type { Certificate } from "./certificates.ts";
import { RequestReader } from "./raw_backend_reader.ts";
import { until } from "./until.ts";

/**
 * An HTTP backend that answers with whatever bytes a test wants and sees what no HTTP server shows: each connection,
 * each byte, and when a peer goes away.
 */
export class RawBackend implements AsyncDisposable {
  /** In the order in which their heads arrived. */
  readonly requests: BackendRequest[] = [];
  /** Connections that ever were, those included on which nothing came. */
  accepted = 0;
  readonly #serve: (request: BackendRequest) => void;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  #taken = 0;

  private constructor(serve: (request: BackendRequest) => void, certificate?: Certificate) {
    this.#serve = serve;
    const accept = (socket: net.Socket) => this.#accept(socket);
    this.#server = certificate
      ? tls.createServer({ cert: certificate.certPem, key: certificate.keyPem }, accept)
      : net.createServer({ noDelay: true }, accept);
    this.#server.on("connection", () => this.accepted++);
    this.#server.on("tlsClientError", () => {});
  }

  /**
   * `serve` is called when a request's head is there. Without it the test answers itself: `next`. With a certificate
   * it is one behind TLS.
   */
  static async start(
    serve: (request: BackendRequest) => void = () => {},
    port = 0,
    certificate?: Certificate,
  ): Promise<RawBackend> {
    const backend = new RawBackend(serve, certificate);
    await new Promise<void>((resolve) => backend.#server.listen(port, "127.0.0.1", resolve));
    return backend;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** The next request that this was not called for. */
  async next(): Promise<BackendRequest> {
    const at = this.#taken++;
    await until(() => this.requests.length > at, `request ${at + 1} at the backend`);
    return this.requests[at]!;
  }

  /** As if its machine lost power: open connections are reset, new ones refused. */
  async kill(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.kill();
  }

  #accept(socket: net.Socket): void {
    this.#sockets.add(socket);
    // Each request on it listens for its end.
    socket.setMaxListeners(0);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    const reader = new RequestReader((head) => {
      const request = new BackendRequest(socket, head);
      this.requests.push(request);
      this.#serve(request);
      return request;
    });
    socket.on("data", (bytes) => reader.read(bytes as Buffer));
  }
}

/** One request, from its head on. */
export class BackendRequest {
  readonly method: string;
  readonly target: string;
  readonly headers = new Map<string, string>();
  /** The body is complete. */
  whole = false;
  /** The connection it came on is gone. */
  closed = false;
  readonly #socket: net.Socket;
  readonly #chunks: Buffer[] = [];

  /** `head`: request line and fields as they came, without the empty line. */
  constructor(
    socket: net.Socket,
    readonly head: string,
  ) {
    const [line = "", ...fields] = head.split("\r\n");
    [this.method = "", this.target = ""] = line.split(" ");
    for (const field of fields) {
      const colon = field.indexOf(":");
      this.headers.set(field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim());
    }
    this.#socket = socket;
    socket.on("close", () => {
      this.closed = true;
    });
  }

  /** What is there of it. */
  get body(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  take(bytes: Buffer): void {
    this.#chunks.push(bytes);
  }

  async receivedWhole(): Promise<this> {
    await until(() => this.whole, `the body of ${this.method} ${this.target}`);
    return this;
  }

  /** @throws Error when the peer is still there after `withinMs`: the promise is a second */
  async isLeft(withinMs = 1000): Promise<void> {
    await until(() => this.closed, `the connection of ${this.method} ${this.target} closes`, withinMs);
  }

  /** A whole answer, in one write: what comes in two may be streamed, and then it is told without its length. */
  reply(status: number, body: string, headers: Record<string, string> = {}): void {
    const bytes = Buffer.from(body);
    const head = `${statusLine(status, { "content-length": `${bytes.length}`, ...headers })}\r\n`;
    this.send(Buffer.concat([Buffer.from(head, "latin1"), bytes]));
  }

  replyJson(value: unknown): void {
    this.reply(200, JSON.stringify(value), { "content-type": "application/json" });
  }

  /** The head of an answer in chunks; then `chunk` as often as wanted, and `lastChunk`. */
  startStream(headers: Record<string, string> = { "content-type": "text/event-stream" }): this {
    this.send(`${statusLine(200, { ...headers, "transfer-encoding": "chunked" })}\r\n`);
    return this;
  }

  chunk(content: string | Uint8Array): boolean {
    const bytes = Buffer.from(content as string);
    this.send(`${bytes.length.toString(16)}\r\n`);
    this.send(bytes);
    return this.send("\r\n");
  }

  lastChunk(): void {
    this.send("0\r\n\r\n");
  }

  /** Anything. Text is Latin-1. */
  send(content: string | Uint8Array): boolean {
    if (this.#socket.destroyed) return false;
    return typeof content === "string" ? this.#socket.write(content, "latin1") : this.#socket.write(content);
  }

  /** Resolves when the socket takes more, or is gone. */
  room(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed || !this.#socket.writableNeedDrain) return resolve();
      const done = () => {
        this.#socket.off("drain", done).off("close", done);
        resolve();
      };
      this.#socket.on("drain", done).on("close", done);
    });
  }

  /** Read no more of it. */
  stopReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }

  /** Close cleanly, after what was sent. */
  end(): void {
    this.#socket.end();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }
}

function statusLine(status: number, headers: Record<string, string>): string {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Said\r\n${fields.join("")}`;
}
