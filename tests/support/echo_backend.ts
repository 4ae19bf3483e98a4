import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What reached the backend, as it came. */
export interface Received {
  method: string;
  /** Path and query. */
  target: string;
  /** In order, duplicates kept; names in lower case. */
  headers: [name: string, value: string][];
  length: number;
  sha256: string;
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/**
 * An HTTP server in the process of the test. It answers every request with what it received of it, as JSON, unless
 * the test has an answer of its own for the path.
 */
export class EchoBackend implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly #answers = new Map<string, Answer>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const path = request.url!.split("?", 1)[0]!;
      const answer = this.#answers.get(path) ?? this.#report;
      Promise.resolve(answer(request, response)).catch((error) => response.destroy(error));
    });
  }

  static async start(): Promise<EchoBackend> {
    const backend = new EchoBackend();
    // What the worker asks by itself: there is no list, so every model is served.
    backend.on("/v1/models", (_request, response) => void response.writeHead(404).end());
    await new Promise<void>((resolve) => backend.#server.listen(0, "127.0.0.1", resolve));
    return backend;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Answer requests for a path in a way of the test's own. Such requests are not in `received`. */
  on(path: string, answer: Answer): void {
    this.#answers.set(path, answer);
  }

  /** The only request since the last call. */
  take(): Received {
    const [request, ...more] = this.received.splice(0);
    if (!request || more.length > 0)
      throw new Error(`Wanted one request, found ${request ? more.length + 1 : 0}`);
    return request;
  }

  readonly #report: Answer = async (request, response) => {
    const received = await receive(request);
    this.received.push(received);
    const body = JSON.stringify(received);
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    });
    response.end(request.method === "HEAD" ? undefined : body);
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Read a request to its end; the body is hashed, not kept. */
export async function receive(request: IncomingMessage): Promise<Received> {
  const hash = createHash("sha256");
  let length = 0;
  for await (const bytes of request) {
    hash.update(bytes);
    length += bytes.length;
  }
  const { rawHeaders } = request;
  const headers = rawHeaders.flatMap((name, at): [string, string][] =>
    at % 2 === 0 ? [[name.toLowerCase(), rawHeaders[at + 1]!]] : [],
  );
  return { method: request.method!, target: request.url!, headers, length, sha256: hash.digest("hex") };
}

/** All values of a header field that was received. */
export function valuesOf({ headers }: Pick<Received, "headers">, name: string): string[] {
  return headers.filter(([field]) => field === name).map(([, value]) => value);
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
