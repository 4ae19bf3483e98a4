import net from "node:net";
import type {
  Listener,
  ListenOptions,
  RequestContext,
  Runtime,
  SocketHandlers,
} from "../../../shared/runtime/ports.ts";
import { until } from "../../support/until.ts";

export const MIB = 1024 * 1024;
export const HOST = "127.0.0.1";

/**
 * A name that cannot be: a label has 63 characters at most (RFC 1035, 2.3.4), so no resolver asks a server for it. One
 * that could be, such as `nobody.invalid`, is asked for, and asked for again five seconds later when the answer is lost.
 */
export const UNKNOWN_HOST = `${"x".repeat(64)}.invalid`;

/** A listener that is gone at the end of the block. */
export async function serve(
  runtime: Runtime,
  handle: (request: Request, context: RequestContext) => Response | Promise<Response>,
  options: Partial<ListenOptions> = {},
): Promise<Listener & AsyncDisposable> {
  const listener = await runtime.listen({
    hostname: HOST,
    port: 0,
    maxRequestBodyBytes: 256 * MIB,
    maxMessageBytes: 2 * MIB,
    handle,
    ...options,
  });
  return Object.assign(listener, {
    [Symbol.asyncDispose]: () => listener.stop(true),
  });
}

/** A client that writes and shows the very bytes. */
export class RawClient implements Disposable {
  received = Buffer.alloc(0);
  /** How the connection ended. */
  ended: "no" | "end" | "reset" = "no";
  readonly socket: net.Socket;

  constructor(port: number, bytes: string | Uint8Array = "") {
    this.socket = net.connect({ port, host: HOST, noDelay: true });
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    this.socket.on("data", (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    this.socket.on("error", () => {
      this.ended = "reset";
    });
    this.socket.on("close", () => {
      if (this.ended === "no") this.ended = "end";
    });
  }

  get text(): string {
    return this.received.toString("latin1");
  }

  /** Everything behind the head, framing included. */
  get body(): string {
    const at = this.text.indexOf("\r\n\r\n");
    return at < 0 ? "" : this.text.slice(at + 4);
  }

  /** The value of a header field of the response; "" when there is none. */
  header(name: string): string {
    return new RegExp(`^${name}: *(.*)\r$`, "im").exec(this.text)?.[1] ?? "";
  }

  until(condition: () => boolean, what: string): Promise<void> {
    return until(condition, `${what}; received so far: ${JSON.stringify(this.text.slice(0, 500))}`);
  }

  /** The end of a response that is framed by chunks or by its length. */
  complete(): Promise<void> {
    return this.until(() => this.#isComplete(), "a complete response");
  }

  closed(): Promise<void> {
    return this.until(() => this.ended !== "no", "the connection's end");
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #isComplete(): boolean {
    if (!this.text.includes("\r\n\r\n")) return false;
    const length = this.header("content-length");
    return length ? this.body.length >= Number(length) : this.body.endsWith("0\r\n\r\n");
  }
}

export function get(target: string, headers = ""): string {
  return `GET ${target} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;
}

/** Everything that a WebSocket told, in order. */
export class Told implements SocketHandlers {
  messages: (string | Uint8Array)[] = [];
  drains = 0;
  pongs = 0;
  closes: [code: number, reason: string][] = [];

  message(data: string | Uint8Array): void {
    this.messages.push(data);
  }
  drain(): void {
    this.drains++;
  }
  pong(): void {
    this.pongs++;
  }
  closed(code: number, reason: string): void {
    this.closes.push([code, reason]);
  }
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
