import { Buffer } from "node:buffer";
import { createServer, type Server, type Socket } from "node:net";
import { type HttpHead, HttpReader, lastValue } from "./http_text.ts";
import { SocketProbe, until } from "./probe.ts";
import { acceptKey, WebSocketEnd } from "./web_socket.ts";

/** Servers played by hand, on loopback and a port of their own. */

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

/** Takes the connections of workers and does nothing that it is not told. */
export class RelayProbe {
  readonly workers: { head: HttpHead; socket: SocketProbe }[] = [];
  readonly #server = createServer((socket) => this.#accept(socket));
  readonly #sockets = new Set<Socket>();
  #taken = 0;
  url = "";

  /** `headers`: more of them in the answer to the handshake. */
  static async start(headers: string[] = []): Promise<RelayProbe> {
    const probe = new RelayProbe(headers);
    probe.url = `http://127.0.0.1:${await listening(probe.#server)}`;
    return probe;
  }

  private constructor(readonly headers: string[]) {}

  /** The next worker that connects. */
  async worker(): Promise<SocketProbe> {
    await until(() => this.workers.length > this.#taken, "a worker");
    return this.workers[this.#taken++]!.socket;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    const reader = new HttpReader("request", {
      head: (head) => {
        socket.off("data", onData);
        const probe = new SocketProbe();
        const accept = acceptKey(lastValue(head, "sec-websocket-key") ?? "");
        const lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket"];
        socket.write([...lines, `Sec-WebSocket-Accept: ${accept}`, ...this.headers, "", ""].join("\r\n"));
        probe.socket = new WebSocketEnd(socket, {
          role: "server",
          handlers: probe.handlers,
          first: reader.takeRest(),
        });
        this.workers.push({ head, socket: probe });
      },
      body() {},
      end() {},
    });
    const onData = (bytes: Buffer) => reader.receive(bytes);
    socket.on("data", onData);
  }
}

export interface SeenRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

/** Writes its answers byte by byte: by path, what to do with the connection once a request is whole. */
export class BackendProbe {
  readonly requests: SeenRequest[] = [];
  /** Connections that the other end closed. */
  left = 0;
  url = "";
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  static async start(
    answers: Record<string, (socket: Socket, request: SeenRequest) => void>,
  ): Promise<BackendProbe> {
    const probe = new BackendProbe(answers);
    probe.url = `http://127.0.0.1:${await listening(probe.#server)}`;
    return probe;
  }

  private constructor(answers: Record<string, (socket: Socket, request: SeenRequest) => void>) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.left++);
      let head: HttpHead;
      const parts: Buffer[] = [];
      const reader = new HttpReader("request", {
        head: (found) => {
          head = found;
        },
        body: (bytes) => parts.push(bytes),
        end: () => {
          const [method = "", path = ""] = head.firstLine.split(" ");
          const body = Buffer.concat(parts.splice(0)).toString();
          const headers = Object.fromEntries([...head.headers].sort(([a], [b]) => (a < b ? -1 : 1)));
          const request = { method, path, headers, body };
          this.requests.push(request);
          (answers[path.split("?")[0]!] ?? answers["*"])?.(socket, request);
        },
      });
      socket.on("data", (bytes) => reader.receive(bytes as Buffer));
    });
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** An answer on the wire; headers as lines. */
export function answerBytes(status: string, headers: string[], body: string | Uint8Array): Buffer {
  const bytes = Buffer.from(body as string);
  const head = [`HTTP/1.1 ${status}`, ...headers, `content-length: ${bytes.length}`, "", ""].join("\r\n");
  return Buffer.concat([Buffer.from(head), bytes]);
}

/** The same, in chunks. */
export function chunkedBytes(status: string, headers: string[], pieces: (string | Uint8Array)[]): Buffer {
  return Buffer.concat([openChunkedBytes(status, headers, pieces), Buffer.from("0\r\n\r\n")]);
}

/** The same, without an end. */
export function openChunkedBytes(status: string, headers: string[], pieces: (string | Uint8Array)[]): Buffer {
  const head = [`HTTP/1.1 ${status}`, ...headers, "transfer-encoding: chunked", "", ""].join("\r\n");
  return Buffer.concat([Buffer.from(head), ...pieces.map(chunkBytes)]);
}

export function chunkBytes(piece: string | Uint8Array): Buffer {
  const bytes = Buffer.from(piece as string);
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}
