import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { performance } from "node:perf_hooks";
import { text } from "node:stream/consumers";
import { setTimeout as after } from "node:timers/promises";

/** How fast a streamed answer is: its first token, its last one, and how many there are, evenly spread. */
export interface Pace {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly tokens: number;
}

type Members = Readonly<Record<string, unknown>>;

/**
 * A backend that streams at a pace, answers all else at once, keeps what is made on `/responses` and `/files`, and
 * holds requests to `…/hold` until it is told to let go. Each answer says who gave it and which model was named.
 */
export class PacedBackend implements AsyncDisposable {
  /** When set, every request is answered with this status. */
  failsWith: number | undefined;
  readonly #held = new Set<ServerResponse>();
  readonly #kept = new Set<string>();
  readonly #server: Server;

  private constructor(
    readonly name: string,
    readonly pace: Pace,
  ) {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error) => response.destroy(error));
    });
  }

  static async start(name: string, pace: Pace): Promise<PacedBackend> {
    const backend = new PacedBackend(name, pace);
    await new Promise<void>((resolve) => backend.#server.listen(0, "127.0.0.1", resolve));
    return backend;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** End what is held. */
  release(): void {
    for (const response of this.#held) response.end();
    this.#held.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const members = membersOf(await text(request));
    const path = request.url!.split("?", 1)[0]!;
    response.setHeader("x-backend", this.name);
    if (typeof members.model === "string")
      response.setHeader("x-seen-model", encodeURIComponent(members.model));
    // There is no list of models: its worker serves those that it was told, or all.
    if (path === "/v1/models") return sendJson(response, 404, { error: "no list" });
    if (this.failsWith !== undefined) return sendJson(response, this.failsWith, { error: "fails" });
    if (path.endsWith("/hold")) return this.#hold(response);
    if (request.method === "POST" && members.stream === true) return await this.#stream(response);
    const [status, answer] = request.method === "POST" ? [200, this.#made(path)] : this.#found(path);
    sendJson(response, status, answer);
  }

  /** As events: a plain link carries other answers when they are complete. */
  #hold(response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/event-stream" }).write("data: held\n\n");
    this.#held.add(response);
  }

  /** What a POST makes; on some paths it is kept. */
  #made(path: string): object {
    const usage = { completion_tokens: 1 };
    if (!/\/(?:responses|files)$/.test(path)) return { usage };
    const id = `${path.split("/").at(-1)}-${this.name}-${this.#kept.size}`;
    this.#kept.add(id);
    return { id, usage };
  }

  #found(path: string): [status: number, answer: object] {
    const id = /\/(?:responses|files)\/([^/]+)/.exec(path)?.[1];
    return id === undefined || this.#kept.has(id) ? [200, { id }] : [404, { error: `no ${id}` }];
  }

  async #stream(response: ServerResponse): Promise<void> {
    const { firstMs, lastMs, tokens } = this.pace;
    const startedMs = performance.now();
    for (let sent = 0; sent < tokens; ) {
      const dueMs = firstMs + ((lastMs - firstMs) * sent) / (tokens - 1);
      const waitMs = startedMs + dueMs - performance.now();
      if (waitMs > 0) await after(waitMs);
      if (sent === 0) response.writeHead(200, { "content-type": "text/event-stream" });
      sent++;
      const usage = { completion_tokens: sent };
      response.write(`data: ${JSON.stringify({ choices: [{ delta: { content: "t" } }], usage })}\n\n`);
    }
    response.end("data: [DONE]\n\n");
  }
}

/** A body that is no JSON object has none. */
function membersOf(body: string): Members {
  try {
    return (JSON.parse(body) as Members | null) ?? {};
  } catch {
    return {};
  }
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}
