import assert from "node:assert/strict";
import { startRelay, workersWhen } from "../admin_view.ts";
import type { RelayProgram } from "../program.ts";
import { connectWorker, HttpProbe, type RawAnswer, type SocketProbe } from "./probe.ts";
import { BackendProbe } from "./probe_server.ts";
import { RustWorker, type RustWorkerOptions } from "./rust_worker.ts";

/** Our relay as a process, and what ModelRelay has around it: its worker's stand-in, or one that is played by hand. */

export const SECRET = "the-worker-secret-of-the-tests";

export type Answers = Parameters<typeof BackendProbe.start>[0];

export interface Ask {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  /** Over `model`, which is that of the worker. A text stands for the whole body. */
  body?: object | string;
}

export interface RustStage {
  worker: RustWorker;
  backend: BackendProbe;
  model: string;
  /** A client that posts JSON for this worker's model. */
  ask(ask?: Ask): HttpProbe;
  answer(ask?: Ask): Promise<RawAnswer>;
}

type JoinOptions = Partial<Omit<RustWorkerOptions, "proxyUrl" | "backendUrl" | "workerSecret">> & {
  answers: Answers;
};

interface Knock {
  /** Behind `/v1/worker/connect`, with its "?". */
  query?: string;
  secret?: string | null;
}

interface Ack {
  type: string;
  worker_id: string;
  models: string[];
  warnings?: string[];
}

/** A relay that many tests use: each brings workers with models of their own. */
export class RelayStage implements AsyncDisposable {
  static async start(flags: string[] = []): Promise<RelayStage> {
    const common = [`--worker-secret=${SECRET}`, "--max-worker-handshakes=1000"];
    return new RelayStage(await startRelay([...common, ...flags]));
  }

  #models = 0;

  private constructor(readonly relay: RelayProgram) {}

  /** A name that no other test has. */
  newModel(): string {
    return `m${++this.#models}`;
  }

  /** ModelRelay's worker and its backend. It must not have been sent anything over which it drops the link. */
  async play(options: JoinOptions, play: (stage: RustStage) => Promise<void>): Promise<void> {
    await using stage = await this.join(options);
    await play(stage);
    assert.deepEqual(stage.worker.drops, [], "a Rust worker that drops the link was sent something wrong");
  }

  /** The same, for tests in which it drops the link. */
  async join({ answers, ...options }: JoinOptions): Promise<RustStage & AsyncDisposable> {
    const model = options.models?.[0] ?? this.newModel();
    const backend = await BackendProbe.start(answers);
    const worker = new RustWorker({
      proxyUrl: this.relay.url,
      backendUrl: backend.url,
      workerSecret: SECRET,
      models: [model],
      ...options,
    });
    await workersWhen(this.relay, (workers) => workers.some(({ models }) => models.includes(model)));
    const ask = (asked: Ask = {}) => this.ask({ ...asked, body: bodyFor(model, asked.body) });
    return {
      worker,
      backend,
      model,
      ask,
      answer: (asked) => ask(asked).whole(),
      async [Symbol.asyncDispose]() {
        worker.stop();
        backend.stop();
      },
    };
  }

  /** A worker that is played by hand, registered for a model of its own; `ack` is what it was answered. */
  async hand(register: object = {}, options: Knock = {}) {
    const model = this.newModel();
    const socket = await this.knock(options);
    socket.send({ type: "register", worker_name: model, models: [model], max_concurrent: 1, ...register });
    const ack = JSON.parse(await socket.next()) as Ack;
    const ask = (asked: Ask = {}) => this.ask({ ...asked, body: bodyFor(model, asked.body) });
    return { socket, model, ack, ask, takes: () => requestAt(socket) };
  }

  /** The door, as ModelRelay's worker comes to it; `secret` null: with none in its header. */
  knock({ secret = SECRET, query }: Knock = {}): Promise<SocketProbe> {
    return connectWorker(this.relay.url, {
      ...(secret !== null && { secret }),
      ...(query !== undefined && { query }),
    });
  }

  /** A client's request. */
  ask({ method = "POST", path = "/v1/chat/completions", headers = {}, body }: Ask): HttpProbe {
    const text = typeof body === "object" ? JSON.stringify(body) : body;
    return new HttpProbe(this.relay.url, {
      method,
      path,
      headers: { ...(text !== undefined && { "content-type": "application/json" }), ...headers },
      ...(text !== undefined && { body: text }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.relay.kill();
  }
}

/** A request as it stands on the wire. */
export interface WireRequest {
  type: "request";
  request_id: string;
  model: string;
  endpoint_path: string;
  is_streaming: boolean;
  body: string;
  headers: Record<string, string>;
  method?: string;
}

/** The next message at a worker that is played by hand, which is to be a request. */
async function requestAt(socket: SocketProbe): Promise<WireRequest> {
  const message = JSON.parse(await socket.next()) as WireRequest;
  assert.equal(message.type, "request");
  return message;
}

function bodyFor(model: string, body: object | string = {}): object | string {
  return typeof body === "string" ? body : { model, ...body };
}
