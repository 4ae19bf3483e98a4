import type { Clock, Timer } from "../../../shared/clock.ts";
import type { RustServerState, ServerRequest, ServerWorker } from "./rust_server_state.ts";
import type { WebSocketEnd } from "./web_socket.ts";
import { type FromWorker, readFromWorker } from "./wire.ts";

const PROTOCOL_VERSION = "2026-04-bridge-v1";
/** The socket is looked after this often, and whenever something came. */
const POLL_MS = 25;
const PING_AFTER_SILENCE_MS = 30_000;
const PONG_DEADLINE_MS = 10_000;

export interface SessionOptions {
  state: RustServerState;
  provider: string;
  clock: Clock;
}

/** One worker's socket, as ModelRelay's server 0.2.7 treats it. */
export class ServerSession {
  worker: ServerWorker | undefined;
  readonly #options: SessionOptions;
  #socket!: WebSocketEnd;
  #tick: Timer | undefined;
  #heardMs: number;
  #pingedMs: number | undefined;
  #drainDeadlineMs = Infinity;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#heardMs = options.clock.nowMs();
    this.#schedule();
  }

  attach(socket: WebSocketEnd): void {
    this.#socket = socket;
  }

  // --- from the worker -------------------------------------------------------------------------------------

  text(text: string): void {
    this.#heard();
    let message: FromWorker;
    try {
      message = readFromWorker(text);
    } catch {
      return this.protocolError();
    }
    if (!this.worker) this.#register(message);
    else if (!this.#on(this.worker, message)) return this.protocolError();
    this.#turn();
  }

  binary(): void {
    this.protocolError();
  }

  ping(): void {
    if (!this.worker) return this.protocolError();
    this.#heard();
  }

  pong(): void {
    this.ping();
  }

  gone(): void {
    this.#tick?.cancel();
    const { worker } = this;
    this.worker = undefined;
    if (worker) this.#options.state.disconnect(worker);
  }

  protocolError(): void {
    this.#end(1002, "worker registration protocol error");
  }

  // --- from the server -------------------------------------------------------------------------------------

  /** Only tests of the real server call this: the program never does. */
  drain(timeoutSecs: number, reason?: string): void {
    const { worker } = this;
    if (!worker) return;
    worker.draining = true;
    this.#drainDeadlineMs = this.#options.clock.nowMs() + timeoutSecs * 1000;
    worker.outbox.shutdown = JSON.stringify({
      type: "graceful_shutdown",
      ...(reason === undefined ? {} : { reason }),
      drain_timeout_secs: Math.max(1, Math.floor(timeoutSecs)),
    });
    this.#turn();
  }

  /** Nor this. */
  refreshModels(reason?: string): void {
    const message = { type: "models_refresh", ...(reason === undefined ? {} : { reason }) };
    if (this.worker) this.worker.outbox.refresh = JSON.stringify(message);
    this.#turn();
  }

  /** The process ends: nobody is told. */
  drop(): void {
    this.#tick?.cancel();
    this.#socket.drop();
  }

  #register(message: FromWorker): void {
    if (message.type !== "register") return this.protocolError();
    const version = message.protocol_version;
    if (version !== undefined && version !== PROTOCOL_VERSION) return this.protocolError();
    const models = sanitised(message.models);
    this.worker = this.#options.state.register({
      provider: this.#options.provider,
      name: message.worker_name,
      models,
      maxConcurrent: Math.max(1, message.max_concurrent),
      reportedLoad: message.current_load ?? 0,
    });
    const warnings = [
      ...(message.worker_name.trim() === "" ? ["worker_name was empty after trimming"] : []),
      ...(models.length === 0 ? ["worker registered without any routable models"] : []),
    ];
    const ack = {
      type: "register_ack",
      worker_id: this.worker.id,
      models,
      ...(warnings.length > 0 ? { warnings } : {}),
      ...(version === undefined ? {} : { protocol_version: version }),
    };
    this.#socket.sendText(JSON.stringify(ack));
  }

  /** False: it broke the protocol. */
  #on(worker: ServerWorker, message: FromWorker): boolean {
    const { state } = this.#options;
    switch (message.type) {
      case "pong":
        state.report(worker, message.current_load);
        return true;
      case "models_update":
        worker.models = sanitised(message.models);
        state.report(worker, message.current_load);
        return true;
      case "response_chunk":
        return state.chunk(worker, message.request_id, message.chunk);
      case "response_complete":
        return state.complete(worker, message.request_id, {
          status: message.status_code,
          headers: message.headers ?? {},
          body: message.body ?? "",
        });
      default:
        // `error` is defined and not expected; a second `register` neither.
        return false;
    }
  }

  #heard(): void {
    this.#heardMs = this.#options.clock.nowMs();
    this.#pingedMs = undefined;
  }

  #schedule(): void {
    this.#tick = this.#options.clock.after(POLL_MS, () => {
      this.#schedule();
      this.#turn();
    });
  }

  #turn(): void {
    const { worker } = this;
    if (!worker || !this.#socket.open) return;
    this.#flush(worker);
    const now = this.#options.clock.nowMs();
    if (worker.draining && worker.inFlight.size === 0) return this.#end(1000, "graceful shutdown complete");
    if (now >= this.#drainDeadlineMs) {
      this.#options.state.failInFlight(worker);
      return this.#end(1000, "graceful shutdown timed out");
    }
    if (this.#pingedMs !== undefined && now - this.#pingedMs >= PONG_DEADLINE_MS) {
      return this.#end(1000, "worker heartbeat timed out");
    }
    if (this.#pingedMs !== undefined || now - this.#heardMs < PING_AFTER_SILENCE_MS) return;
    this.#pingedMs = now;
    this.#socket.sendText('{"type":"ping"}');
  }

  #flush({ outbox }: ServerWorker): void {
    const reason = "client_disconnect";
    for (const id of outbox.cancels.splice(0)) {
      this.#socket.sendText(JSON.stringify({ type: "cancel", request_id: id, reason }));
    }
    for (const request of outbox.requests.splice(0)) this.#socket.sendText(requestText(request));
    if (outbox.shutdown !== undefined) this.#socket.sendText(outbox.shutdown);
    delete outbox.shutdown;
    if (outbox.refresh !== undefined) this.#socket.sendText(outbox.refresh);
    delete outbox.refresh;
  }

  #end(code: number, reason: string): void {
    this.#socket.close(code, reason);
    this.gone();
  }
}

function requestText({ id, model, path, streaming, body, headers }: ServerRequest): string {
  return JSON.stringify({
    type: "request",
    request_id: id,
    model,
    endpoint_path: path,
    is_streaming: streaming,
    body,
    ...(Object.keys(headers).length > 0 ? { headers } : {}),
  });
}

/** Trimmed, without the empty, each once, in their first order. */
function sanitised(models: string[]): string[] {
  return [...new Set(models.map((model) => model.trim()).filter((model) => model !== ""))];
}
