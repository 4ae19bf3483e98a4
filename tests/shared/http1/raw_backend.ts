import net from "node:net";
import { until } from "./until.ts";

/** A TCP server that answers with whatever bytes a test wants, for what no HTTP server would do. */
export class RawBackend {
  readonly peers: RawPeer[] = [];
  readonly #server: net.Server;

  private constructor(serve: (peer: RawPeer) => void) {
    this.#server = net.createServer({ noDelay: true }, (socket) => {
      const peer = new RawPeer(socket);
      this.peers.push(peer);
      serve(peer);
    });
  }

  static async start(serve: (peer: RawPeer) => void = () => {}): Promise<RawBackend> {
    const backend = new RawBackend(serve);
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

  async peer(number = 0): Promise<RawPeer> {
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
export class RawPeer {
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
    await until(
      () => this.received.includes(text, after),
      () => `${JSON.stringify(text)} in ${this.received}`,
    );
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
