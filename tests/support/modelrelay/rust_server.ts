import type { Buffer } from "node:buffer";
import { createServer, type Socket } from "node:net";
import { type Clock, systemClock } from "../../../shared/clock.ts";
import { HttpConnection, type HttpRequest, head } from "./http_connection.ts";
import { lastValue } from "./http_text.ts";
import { readJson } from "./json_text.ts";
import { ProxiedRequest } from "./proxied_request.ts";
import { adminReadable, readable } from "./rust_server_pages.ts";
import { ServerSession } from "./rust_server_session.ts";
import { RustServerState } from "./rust_server_state.ts";
import { acceptKey, WebSocketEnd } from "./web_socket.ts";
import { CHAT_BODY, readFields } from "./wire.ts";
import { WorkerAdmission } from "./worker_admission.ts";

export interface RustServerOptions {
  clock?: Clock;
  /** `--provider`, for which alone the worker secret is good. */
  provider?: string;
  workerSecret?: string;
  /** Client keys. Each is as good as the worker secret, for every provider. */
  apiKeys?: string[];
  requireApiKeys?: boolean;
  adminToken?: string;
  maxQueueLength?: number;
  queueTimeoutMs?: number;
  requestTimeoutMs?: number;
  /** Where its numbering is to begin, to compare it with a recording. */
  firstWorker?: number;
  firstRequest?: number;
}

const PROXIED = ["/v1/chat/completions", "/v1/messages", "/v1/responses"];
const READABLE = ["/health", "/v1/models", "/v1/worker/connect", "/admin/workers", "/admin/stats"];
const MAX_BODY_BYTES = 2 * 1024 * 1024;

/** A stand-in of ModelRelay's server 0.2.7: its routes, its worker sockets, its mistakes. */
export class RustServer {
  readonly state: RustServerState;
  readonly sessions = new Set<ServerSession>();
  readonly #options: RustServerOptions;
  readonly #clock: Clock;
  readonly #admission: WorkerAdmission;
  readonly #server = createServer((socket) => this.#onConnection(socket));
  readonly #connections = new Set<Socket>();
  readonly #startedMs: number;
  /** Requests of clients that wait for their last byte. */
  #openRequests = 0;
  #idle: (() => void) | undefined;
  #scanTimer: { cancel(): void } | undefined;

  private constructor(options: RustServerOptions) {
    const { clock = systemClock, provider = "local" } = options;
    this.#options = options;
    this.#clock = clock;
    this.#startedMs = clock.nowMs();
    this.#admission = new WorkerAdmission({ clock, provider, ...options });
    this.state = new RustServerState({
      clock,
      provider,
      maxQueueLength: options.maxQueueLength ?? 100,
      queueTimeoutMs: options.queueTimeoutMs ?? 30_000,
      firstWorker: options.firstWorker ?? 1,
      firstRequest: options.firstRequest ?? 1,
    });
    this.#scan();
  }

  static async start(options: RustServerOptions = {}): Promise<RustServer> {
    const server = new RustServer(options);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  /** SIGTERM: no new connections, no word to the workers, and no end before the last request of a client has one. */
  async stop(): Promise<void> {
    this.#server.close();
    if (this.#openRequests > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.kill();
  }

  /** SIGKILL. */
  kill(): void {
    this.#scanTimer?.cancel();
    this.#server.close();
    for (const session of this.sessions) session.drop();
    for (const socket of this.#connections) socket.destroy();
  }

  /** Of one worker that is connected. @throws Error */
  session(workerId: string): ServerSession {
    const found = [...this.sessions].find(({ worker }) => worker?.id === workerId);
    if (!found) throw new Error(`Cannot find ${workerId}: it must be connected`);
    return found;
  }

  #scan(): void {
    this.#scanTimer = this.#clock.after(1000, () => {
      this.state.expireQueued();
      this.#scan();
    });
  }

  #onConnection(socket: Socket): void {
    this.#connections.add(socket);
    socket.on("close", () => this.#connections.delete(socket));
    new HttpConnection(socket, (request, connection) => this.#route(request, connection));
  }

  #route(request: HttpRequest, connection: HttpConnection): void {
    const { method, path } = request;
    const isRead = READABLE.includes(path);
    const allow = isRead ? "GET,HEAD" : PROXIED.includes(path) ? "POST" : undefined;
    if (method === "OPTIONS") return preflight(connection, allow);
    if (!allow) return connection.whole(404, [], "");
    if (!allow.split(",").includes(method)) return connection.whole(405, [["allow", allow]], "");
    if (!isRead) return this.#proxy(request, connection);
    if (path === "/v1/worker/connect") return this.#connect(request, connection);
    const body = path.startsWith("/admin")
      ? this.#admin(request)
      : readable(path, this.state, this.#clock.nowMs() - this.#startedMs);
    if (body === undefined) return connection.whole(403, [], "");
    const text = JSON.stringify(body);
    const length = `${text.length}`;
    const headers: [string, string][] = [["content-type", "application/json"]];
    if (method === "HEAD") connection.head(200, [...headers, ["content-length", length]]);
    else connection.whole(200, headers, text);
  }

  #admin({ head, path }: HttpRequest): object | undefined {
    const given = lastValue(head, "authorization")?.replace(/^Bearer /, "");
    const { adminToken } = this.#options;
    return adminToken === undefined || given !== adminToken ? undefined : adminReadable(path, this.state);
  }

  // --- workers ---------------------------------------------------------------------------------------------

  #connect(request: HttpRequest, connection: HttpConnection): void {
    const refusal = this.#admission.refusal(request);
    if (refusal?.status) {
      return connection.whole(refusal.status, [["content-type", "text/plain; charset=utf-8"]], refusal.text);
    }
    const { socket, first } = connection.detach();
    const { provider } = this.#admission.query(request);
    const session = new ServerSession({ state: this.state, provider, clock: this.#clock });
    this.sessions.add(session);
    const accept = acceptKey(lastValue(request.head, "sec-websocket-key") ?? "");
    const upgrade: [string, string][] = [
      ["connection", "upgrade"],
      ["upgrade", "websocket"],
    ];
    socket.write(head(101, [...upgrade, ["sec-websocket-accept", accept]]));
    const handlers = {
      text: (text: string) => session.text(text),
      binary: () => session.binary(),
      ping: () => session.ping(),
      pong: () => session.pong(),
      gone: () => session.gone(),
    };
    const end = new WebSocketEnd(socket, { role: "server", handlers, first });
    session.attach(end);
    socket.on("close", () => this.sessions.delete(session));
    if (refusal) {
      end.close(1008, refusal.text);
      session.gone();
    }
  }

  // --- clients ---------------------------------------------------------------------------------------------

  #proxy({ head, path, body }: HttpRequest, connection: HttpConnection): void {
    if (body.length > MAX_BODY_BYTES) {
      const text = "Failed to buffer the request body: length limit exceeded";
      return connection.whole(413, [["content-type", "text/plain; charset=utf-8"]], text);
    }
    const denial = this.#keyDenial(lastValue(head, "authorization"));
    if (denial) {
      const text = JSON.stringify({ error: { type: "auth_error", message: denial } });
      return connection.whole(401, [["content-type", "application/json"]], text);
    }
    const asked = readChat(body);
    if (!asked) return connection.whole(400, [], "");
    this.#count(1);
    new ProxiedRequest({
      connection,
      state: this.state,
      clock: this.#clock,
      timeoutMs: this.#options.requestTimeoutMs ?? 300_000,
      over: () => this.#count(-1),
    }).submit({ ...asked, path, headers: forwarded(head.headers) });
  }

  #keyDenial(given: string | undefined): string | undefined {
    if (!this.#options.requireApiKeys) return undefined;
    if (given === undefined) return "API key required";
    const known = this.#options.apiKeys ?? [];
    return known.includes(given.replace(/^Bearer /, "")) ? undefined : "Invalid API key";
  }

  #count(by: number): void {
    this.#openRequests += by;
    if (this.#openRequests === 0) this.#idle?.();
  }
}

function preflight(connection: HttpConnection, allow: string | undefined): void {
  const any: [string, string][] = [
    ["access-control-allow-methods", "*"],
    ["access-control-allow-headers", "*"],
  ];
  connection.whole(200, allow ? [...any, ["allow", allow]] : any, "");
}

/** Undefined: what the server answers 400 to. */
function readChat(body: Buffer): { model: string; streaming: boolean; body: string } | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
    const { model, stream = false } = readFields(readJson(text), CHAT_BODY);
    return { model: model as string, streaming: stream as boolean, body: text };
  } catch {
    return undefined;
  }
}

/** All but three, the last of a name, sorted. */
function forwarded(headers: [string, string][]): Record<string, string> {
  const stays = ["content-length", "connection", "host"];
  const kept = headers.filter(([name, value]) => !stays.includes(name) && /^[\t\x20-\x7e]*$/.test(value));
  const last = new Map(kept);
  return Object.fromEntries([...last].sort(([a], [b]) => (a < b ? -1 : 1)));
}
