import net from "node:net";
import { type RawResponse, readResponse } from "./raw_client_response.ts";
import { until } from "./until.ts";

/** A TCP connection that sends whatever bytes a test wants and sees exactly what comes back, and how it ends. */
export class RawClient implements AsyncDisposable {
  /** Each byte one character. */
  received = "";
  closed = false;
  readonly #socket: net.Socket;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text) => {
      this.received += text;
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
    });
  }

  /** To a port of loopback, or the path of a unix socket. @throws Error when nobody listens */
  static async connect(where: number | string): Promise<RawClient> {
    const socket = net.connect(
      typeof where === "string" ? { path: where } : { port: where, host: "127.0.0.1", noDelay: true },
    );
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new RawClient(socket);
  }

  /** Connect and send. */
  static async sends(where: number | string, request: string): Promise<RawClient> {
    const client = await RawClient.connect(where);
    client.send(request);
    return client;
  }

  /** Text is Latin-1. */
  send(content: string | Uint8Array): boolean {
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

  /** Wait for this text. */
  async receives(text: string, withinMs = 3000): Promise<void> {
    await until(() => this.received.includes(text), `the client receives ${JSON.stringify(text)}`, withinMs);
  }

  /** Wait until the relay has closed the connection. */
  async isClosed(withinMs = 3000): Promise<void> {
    await until(() => this.closed, "the relay closes the client's connection", withinMs);
  }

  /** The `number`th response, as far as it came when it was complete or the connection was closed. */
  async response(number = 0, withinMs = 3000): Promise<RawResponse> {
    const read = () => readResponse(this.received, number);
    await until(() => read().complete || this.closed, `response ${number + 1}`, withinMs);
    return read();
  }

  /** Take nothing more: the kernels' buffers fill up. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Nothing more is sent; the answer may still come. */
  end(): void {
    this.#socket.end();
  }

  /** Go away without a word. */
  leave(): void {
    this.#socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.leave();
  }
}

/** One request on a connection of its own, and its response. */
export async function ask(port: number, request: RequestText | string): Promise<RawResponse> {
  const text = typeof request === "string" ? request : requestText(request);
  await using client = await RawClient.sends(port, text);
  return await client.response();
}

export interface RequestText {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  /** JSON, when it is no text. Its length is announced, unless `headers` say how it is framed. */
  body?: string | object;
}

/** A request as bytes: POST to `/v1/chat/completions` unless it says otherwise. */
export function requestText({ method = "POST", path = CHAT, headers = {}, body }: RequestText = {}): string {
  const text = typeof body === "object" ? JSON.stringify(body) : body;
  const all: Record<string, string> = { host: "relay.test", ...headers };
  const framed = "content-length" in all || "transfer-encoding" in all;
  if (text !== undefined && !framed) all["content-length"] = String(Buffer.byteLength(text));
  const fields = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${fields.join("")}\r\n${Buffer.from(text ?? "").toString("latin1")}`;
}

/** One chunk of a chunked body. */
export function chunk(content: string): string {
  return `${content.length.toString(16)}\r\n${content}\r\n`;
}

export const CHAT = "/v1/chat/completions";
