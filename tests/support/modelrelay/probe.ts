import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { type HttpHead, HttpReader } from "./http_text.ts";
import { WebSocketEnd } from "./web_socket.ts";

/** Peers played by hand: they send what they are told, byte by byte, and keep what came. */

export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
  /** All of it, as it stood on the wire. */
  raw: string;
}

/** Poll for something that nothing signals. @throws Error after ten seconds. */
export async function until(what: () => unknown, name = `${what}`): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    if (what()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`Cannot go on: this never came true: ${name}`);
}

/** Give the sockets the time that an answer would take, where none is wanted. */
export async function quiet(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 60));
}

export interface HttpCall {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

/** A client of a server, on a connection of its own. */
export class HttpProbe {
  raw = "";
  answer: RawAnswer | undefined;
  closed = false;
  readonly #socket;

  constructor(url: string, { method = "GET", path, headers = {}, body }: HttpCall) {
    const { hostname, port } = new URL(url);
    const bytes = body === undefined ? undefined : Buffer.from(body as string);
    const lines = [`${method} ${path} HTTP/1.1`, `host: ${hostname}`];
    for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
    if (bytes) lines.push(`content-length: ${bytes.length}`);
    const parts: Buffer[] = [];
    let head: HttpHead;
    const reader = new HttpReader("response", {
      head: (found) => {
        head = found;
        if (method === "HEAD") this.#done(head, "");
      },
      body: (part) => parts.push(part),
      end: () => this.#done(head, Buffer.concat(parts).toString()),
    });
    this.#socket = connect(Number(port), hostname, () => {
      this.#socket.write(
        Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), bytes ?? Buffer.alloc(0)]),
      );
    });
    this.#socket.on("data", (part) => {
      this.raw += part;
      reader.receive(part as Buffer);
    });
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      this.closed = true;
    });
  }

  /** The whole answer. @throws Error when the connection ended without one. */
  async whole(): Promise<RawAnswer> {
    await until(() => this.answer || this.closed, "an answer");
    if (!this.answer) throw new Error(`the connection was closed: ${this.raw}`);
    this.leave();
    return this.answer;
  }

  leave(): void {
    this.#socket.destroy();
  }

  #done({ firstLine, headers }: HttpHead, body: string): void {
    const status = Number(firstLine.split(" ")[1]);
    this.answer ??= { status, headers: Object.fromEntries(headers), body, raw: this.raw };
  }
}

export function call(url: string, request: HttpCall): Promise<RawAnswer> {
  return new HttpProbe(url, request).whole();
}

/** An answer as the recordings show it: names sorted. */
export function shown({ status, headers, body }: RawAnswer): string {
  const sorted = Object.fromEntries(Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${status} ${JSON.stringify(sorted)} ${JSON.stringify(body)}`;
}

/** A WebSocket peer: texts that came, and how it ended. */
export class SocketProbe {
  readonly texts: string[] = [];
  readonly pongs: number[] = [];
  end: { code: number; reason: string } | undefined;
  socket!: WebSocketEnd;
  #read = 0;

  readonly handlers = {
    text: (text: string) => void this.texts.push(text),
    binary: () => {},
    pong: () => void this.pongs.push(1),
    gone: (code: number, reason: string) => {
      this.end = { code, reason };
    },
  };

  send(message: object | string): void {
    this.socket.sendText(typeof message === "string" ? message : JSON.stringify(message));
  }

  /** The next text that was not read yet. */
  async next(): Promise<string> {
    await until(() => this.texts.length > this.#read || this.end, "a message");
    if (this.texts.length <= this.#read)
      throw new Error(`the socket was closed: ${JSON.stringify(this.end)}`);
    return this.texts[this.#read++]!;
  }

  /** What was not read yet, after some time in which it could have come. */
  async unread(): Promise<string[]> {
    await quiet();
    const texts = this.texts.slice(this.#read);
    this.#read = this.texts.length;
    return texts;
  }

  async closed(): Promise<{ code: number; reason: string }> {
    await until(() => this.end, "the end of the socket");
    return this.end!;
  }
}

/** A worker played by hand: it connects and upgrades. What it says is up to the test. */
export async function connectWorker(
  url: string,
  options: { secret?: string; query?: string; headers?: Record<string, string> } = {},
): Promise<SocketProbe> {
  const { hostname, port } = new URL(url);
  const probe = new SocketProbe();
  const socket = connect(Number(port), hostname);
  const lines = [
    `GET /v1/worker/connect${options.query ?? "?provider=local"} HTTP/1.1`,
    `Host: ${hostname}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    ...(options.secret === undefined ? [] : [`x-worker-secret: ${options.secret}`]),
    ...Object.entries(options.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
  ];
  await new Promise<void>((resolve, reject) => {
    const reader = new HttpReader("response", {
      head: ({ firstLine }) => {
        socket.off("data", onData);
        if (!firstLine.includes(" 101 ")) return reject(new Error(firstLine));
        probe.socket = new WebSocketEnd(socket, {
          role: "client",
          handlers: probe.handlers,
          first: reader.takeRest(),
        });
        resolve();
      },
      body() {},
      end() {},
    });
    const onData = (bytes: Buffer) => reader.receive(bytes);
    socket.on("data", onData);
    socket.on("error", reject);
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  });
  return probe;
}
