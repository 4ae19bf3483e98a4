import { Buffer } from "node:buffer";
import type { Clock, Timer } from "../../../shared/clock.ts";
import { callBackend } from "./rust_backend_call.ts";
import type { WebSocketEnd } from "./web_socket.ts";
import { type FromServer, readFromServer } from "./wire.ts";

/** Without a frame from the server for this long the worker leaves, whatever it is busy with. */
const IDLE_LIMIT_MS = 90_000;

export interface WorkerSessionOptions {
  clock: Clock;
  workerName: string;
  models: string[];
  maxConcurrent: number;
  backendUrl: string;
  /** The session is over and the connection dropped; `asTold`: the server closed it after its graceful_shutdown. Called once. */
  over(why: string, asTold: boolean): void;
}

/** One connection of ModelRelay's worker 0.2.7, from `register` to its end. */
export class WorkerSession {
  readonly #options: WorkerSessionOptions;
  readonly #socket: WebSocketEnd;
  /** Ways to give up on the requests that run. */
  readonly #tasks = new Map<string, () => void>();
  #idle: Timer;
  #draining = false;
  #over = false;
  /** While the models are asked for nothing else is read or sent: what came meanwhile, and what would have gone. */
  #waiting: string[] | undefined;
  #unsent: object[] = [];
  #stopRefresh: (() => void) | undefined;

  constructor(socket: WebSocketEnd, options: WorkerSessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#idle = this.#startIdle();
    this.#send({
      type: "register",
      worker_name: options.workerName,
      models: options.models,
      max_concurrent: options.maxConcurrent,
      protocol_version: "2026-04-bridge-v1",
      current_load: 0,
    });
  }

  /** Requests that it works on. */
  get running(): number {
    return this.#tasks.size;
  }

  /** Any frame came. */
  heard(): void {
    this.#idle.cancel();
    this.#idle = this.#startIdle();
  }

  text(text: string): void {
    this.heard();
    this.#deliver(text);
  }

  #deliver(text: string): void {
    if (this.#waiting) this.#waiting.push(text);
    else this.#read(text);
  }

  /** Leave without a word: every request is given up. */
  drop(why: string, byServer = false): void {
    if (this.#over) return;
    this.#over = true;
    this.#idle.cancel();
    this.#stopRefresh?.();
    for (const abort of this.#tasks.values()) abort();
    this.#tasks.clear();
    this.#socket.drop();
    this.#options.over(why, byServer && this.#draining);
  }

  #read(text: string): void {
    try {
      this.#on(readFromServer(text));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.drop(error.message);
    }
  }

  #on(message: FromServer): void {
    switch (message.type) {
      case "register_ack":
        return;
      case "request":
        if (this.#draining) return this.drop("a request came while draining");
        return this.#start(message);
      case "cancel":
        this.#tasks.get(message.request_id)?.();
        this.#tasks.delete(message.request_id);
        return;
      case "ping": {
        const { timestamp_unix_ms } = message;
        return this.#send({ type: "pong", current_load: this.running, timestamp_unix_ms });
      }
      case "graceful_shutdown":
        this.#draining = true;
        return;
      case "models_refresh":
        return this.#refresh();
    }
  }

  #start(request: Extract<FromServer, { type: "request" }>): void {
    const { request_id: id, is_streaming: streaming, headers = {}, body } = request;
    let status = 0;
    let answerHeaders: Record<string, string> = {};
    const parts: Buffer[] = [];
    const abort = callBackend(
      { method: "POST", url: this.#url(request.endpoint_path), headers, body },
      {
        head: (code, received) => {
          status = code;
          answerHeaders = received;
        },
        data: (bytes) => (streaming ? this.#chunk(id, bytes) : parts.push(bytes)),
        end: () => {
          this.#tasks.delete(id);
          this.#complete(id, {
            status,
            headers: answerHeaders,
            body: streaming ? "" : lossy(Buffer.concat(parts)),
          });
        },
        failed: (error) => this.drop(`backend: ${error.message}`),
      },
    );
    this.#tasks.set(id, abort);
  }

  /** As read; a piece that is not UTF-8 by itself ends everything. */
  #chunk(id: string, bytes: Buffer): void {
    let chunk: string;
    try {
      chunk = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return this.drop("invalid utf-8 sequence");
    }
    if (chunk !== "") this.#send({ type: "response_chunk", request_id: id, chunk });
  }

  #complete(id: string, answer: { status: number; headers: Record<string, string>; body: string }): void {
    const { status, headers, body } = answer;
    this.#send({
      type: "response_complete",
      request_id: id,
      status_code: status,
      ...(Object.keys(headers).length > 0 ? { headers } : {}),
      body,
    });
  }

  /** Without credentials or a deadline, and over the head of the configured models. */
  #refresh(): void {
    this.#waiting = [];
    const parts: Buffer[] = [];
    this.#stopRefresh = callBackend(
      { method: "GET", url: this.#url("/v1/models"), headers: {} },
      {
        head: (status) => status >= 400 && this.drop(`models: status ${status}`),
        data: (bytes) => parts.push(bytes),
        end: () => this.#refreshed(lossy(Buffer.concat(parts))),
        failed: (error) => this.drop(`models: ${error.message}`),
      },
    );
  }

  #refreshed(text: string): void {
    if (this.#over) return;
    let models: string[];
    try {
      models = (JSON.parse(text) as { data: { id: unknown }[] }).data
        .map(({ id }) => id)
        .filter((id) => typeof id === "string");
    } catch {
      return this.drop("models: missing data array");
    }
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    this.#send({ type: "models_update", models, current_load: this.running });
    for (const message of this.#unsent.splice(0)) this.#send(message);
    // One of them may ask for the models again.
    for (const text of waiting) this.#deliver(text);
  }

  #url(path: string): string {
    return this.#options.backendUrl.replace(/\/+$/, "") + path;
  }

  #startIdle(): Timer {
    return this.#options.clock.after(IDLE_LIMIT_MS, () => this.drop("the server was silent"));
  }

  #send(message: object): void {
    if (this.#waiting) this.#unsent.push(message);
    else this.#socket.sendText(JSON.stringify(message));
  }
}

function lossy(bytes: Buffer): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
