import net from "node:net";
import { until } from "../../support/until.ts";

/** A TCP server that answers with whatever bytes a test wants, for what no HTTP server would do. */
export class ByteBackend {
  readonly peers: BytePeer[] = [];
  readonly #server: net.Server;

  private constructor(serve: (peer: BytePeer) => void, allowHalfOpen: boolean) {
    this.#server = net.createServer({ noDelay: true, allowHalfOpen }, (socket) => {
      const peer = new BytePeer(socket);
      this.peers.push(peer);
      serve(peer);
    });
  }

  /** `allowHalfOpen`: keep sending when the client has ended its side. */
  static async start(
    serve: (peer: BytePeer) => void = () => {},
    allowHalfOpen = false,
  ): Promise<ByteBackend> {
    const backend = new ByteBackend(serve, allowHalfOpen);
    await new Promise<void>((resolve) => backend.#server.listen(0, "127.0.0.1", resolve));
    return backend;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  /** All bytes of all connections. */
  get received(): string {
    return this.peers.map((peer) => peer.received).join("");
  }

  async peer(number = 0): Promise<BytePeer> {
    await until(() => this.peers.length > number, `connection ${number}`);
    return this.peers[number]!;
  }

  /** Refuse new connections; resolves when the open ones have ended. */
  stopListening(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  async close(): Promise<void> {
    for (const peer of this.peers) peer.destroy();
    await this.stopListening();
  }
}

/** One connection, as the server sees it. */
export class BytePeer {
  /** Each byte one character. */
  received = "";
  closed = false;
  readonly socket: net.Socket;

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text) => {
      this.received += text;
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
    });
  }

  /** Wait for this text, behind the first `after` characters. */
  async receives(text: string, after = 0): Promise<void> {
    await until(() => this.received.includes(text, after), `the backend receives ${JSON.stringify(text)}`);
  }

  /** The last of a request without a body. */
  receivesHead(): Promise<void> {
    return this.receives("\r\n\r\n");
  }

  /** Answer to each request head that arrives; only for requests without a body, sent one by one. */
  answerAll(answer: string): void {
    this.socket.on("data", (text) => {
      if (String(text).endsWith("\r\n\r\n")) this.send(answer);
    });
  }

  send(text: string): void {
    this.socket.write(text, "latin1");
  }

  end(text = ""): void {
    this.socket.end(text, "latin1");
  }

  /** Close with a reset, so that what was sent may be lost. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }
}
