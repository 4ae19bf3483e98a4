import type { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { type Clock, systemClock } from "../../../shared/clock.ts";
import { type HttpHead, HttpReader, lastValue } from "./http_text.ts";
import { WorkerSession } from "./rust_worker_session.ts";
import { acceptKey, WebSocketEnd } from "./web_socket.ts";

export interface RustWorkerOptions {
  /** http:// or ws://; the real one trusts public authorities only, so TLS is of no use in tests. */
  proxyUrl: string;
  backendUrl: string;
  workerSecret: string;
  provider?: string;
  workerName?: string;
  models?: string[];
  maxConcurrent?: number;
  clock?: Clock;
  /** From 0 up to 1, for the waits between connections. */
  random?: () => number;
}

const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 30_000;
const WAIT_AFTER_SHUTDOWN_MS = 2000;
const JITTER_MS = 500;
/** Only a session longer than this makes the waits short again. */
const LONG_SESSION_MS = 90_000;

/** A stand-in of ModelRelay's worker 0.2.7: it connects, serves and drops connections as that one does. */
export class RustWorker {
  /** Connections that came as far as `register`. */
  registered = 0;
  /** Why each ended, in words of our own: the other end sees only that it did. */
  readonly drops: string[] = [];
  readonly #options: RustWorkerOptions;
  readonly #clock: Clock;
  #socket: Socket | undefined;
  #session: WorkerSession | undefined;
  #sessionStartedMs = 0;
  #waitMs = FIRST_WAIT_MS;
  #retry: { cancel(): void } | undefined;
  #stopped = false;

  constructor(options: RustWorkerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#connect();
  }

  /** Requests that it works on. */
  get running(): number {
    return this.#session?.running ?? 0;
  }

  /** SIGTERM, and any other way out: what runs is given up, nobody is told. */
  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
    this.#session?.drop("stopped");
    this.#socket?.destroy();
  }

  #connect(): void {
    const url = new URL(connectUrl(this.#options.proxyUrl, this.#options.provider ?? "local"));
    const key = randomBytes(16).toString("base64");
    const socket = connect(Number(url.port || 80), url.hostname);
    this.#socket = socket;
    let done = false;
    const end = (problem?: string) => {
      if (done) return;
      done = true;
      socket.off("data", onData);
      if (problem === undefined) return;
      socket.destroy();
      this.#over(problem, false);
    };
    const reader = new HttpReader("response", {
      head: (head) => {
        if (!isUpgrade(head, acceptKey(key))) return end(`no upgrade: ${head.firstLine}`);
        end();
        this.#start(socket, reader.takeRest());
      },
      body() {},
      end() {},
    });
    const onData = (bytes: Buffer) => reader.receive(bytes);
    socket.on("data", onData);
    socket.on("error", () => end("no connection"));
    socket.on("close", () => end("no connection"));
    socket.on("connect", () => socket.write(handshake(url, key, this.#options.workerSecret)));
  }

  #start(socket: Socket, first: Buffer): void {
    if (this.#stopped) return;
    const { workerName = "worker", models = ["default"], maxConcurrent = 1, backendUrl } = this.#options;
    const end = new WebSocketEnd(socket, {
      role: "client",
      first,
      handlers: {
        text: (text) => session.text(text),
        binary: () => session.heard(),
        ping: () => session.heard(),
        pong: () => session.heard(),
        gone: (code, reason) => session.drop(`closed: ${code} ${reason}`, true),
      },
    });
    const session = new WorkerSession(end, {
      clock: this.#clock,
      workerName,
      models,
      maxConcurrent,
      backendUrl,
      over: (why, asTold) => this.#over(why, asTold),
    });
    this.#session = session;
    this.#sessionStartedMs = this.#clock.nowMs();
    this.registered++;
  }

  #over(why: string, asTold: boolean): void {
    const lasted = this.#session ? this.#clock.nowMs() - this.#sessionStartedMs : 0;
    this.#session = undefined;
    this.drops.push(why);
    if (this.#stopped) return;
    if (asTold || lasted > LONG_SESSION_MS) this.#waitMs = FIRST_WAIT_MS;
    const jitterMs = Math.floor((this.#options.random ?? Math.random)() * JITTER_MS);
    const waitMs = asTold ? WAIT_AFTER_SHUTDOWN_MS : this.#waitMs;
    if (!asTold) this.#waitMs = Math.min(MAX_WAIT_MS, 2 * this.#waitMs);
    this.#retry = this.#clock.after(waitMs + jitterMs, () => this.#connect());
  }
}

/** The provider is not encoded: a mistake of the original that a relay has to live with. */
export function connectUrl(proxyUrl: string, provider: string): string {
  const base = proxyUrl
    .replace(/\/+$/, "")
    .replace(/^http:/, "ws:")
    .replace(/^https:/, "wss:");
  return `${base}/v1/worker/connect?provider=${provider}`;
}

function handshake({ host, pathname, search }: URL, key: string, secret: string): string {
  const lines = [
    `GET ${pathname}${search} HTTP/1.1`,
    `Host: ${host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${key}`,
    `x-worker-secret: ${secret}`,
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** It asked for no subprotocol and no extension, and takes none. */
function isUpgrade(head: HttpHead, accept: string): boolean {
  return (
    /^HTTP\/1\.1 101(?: |$)/.test(head.firstLine) &&
    lastValue(head, "upgrade")?.toLowerCase() === "websocket" &&
    (lastValue(head, "connection")?.toLowerCase().includes("upgrade") ?? false) &&
    lastValue(head, "sec-websocket-accept") === accept &&
    lastValue(head, "sec-websocket-protocol") === undefined &&
    lastValue(head, "sec-websocket-extensions") === undefined
  );
}
