import assert from "node:assert/strict";
import { WorkerProgram } from "../program.ts";
import { HttpProbe, type RawAnswer } from "./probe.ts";
import { BackendProbe, RelayProbe } from "./probe_server.ts";
import { type Answers, SECRET } from "./relay_stage.ts";
import { RustServer, type RustServerOptions } from "./rust_server.ts";

/** Our worker as a process, and a ModelRelay server around it: the stand-in, or one that is played by hand. */

const ENVIRONMENT = { env: { WORKER_SECRET: SECRET } };

interface StageOptions {
  answers: Answers;
  /** Of the worker; its model is `m`. */
  flags?: string[];
  server?: RustServerOptions;
}

interface ServerAsk {
  path?: string;
  headers?: Record<string, string>;
  /** Over `model`. */
  body?: object;
}

/** ModelRelay's server, our worker, its backend. */
export class ServerStage implements AsyncDisposable {
  static async start({ answers, flags = [], server: options = {} }: StageOptions): Promise<ServerStage> {
    const backend = await BackendProbe.start(answers);
    const server = await RustServer.start({ workerSecret: SECRET, ...options });
    const worker = await WorkerProgram.start(server.url, backend.url, ["--models=m", ...flags], ENVIRONMENT);
    return new ServerStage(server, worker, backend);
  }

  private constructor(
    readonly server: RustServer,
    readonly worker: WorkerProgram,
    readonly backend: BackendProbe,
  ) {}

  ask({ path = "/v1/chat/completions", headers = {}, body = {} }: ServerAsk = {}): HttpProbe {
    return new HttpProbe(this.server.url, {
      method: "POST",
      path,
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ model: "m", ...body }),
    });
  }

  answer(ask?: ServerAsk): Promise<RawAnswer> {
    return this.ask(ask).whole();
  }

  /** The first connection is the only one: our worker was sent off for nothing that it said. */
  isUnbroken(): void {
    const ids = this.server.state.workers.map(({ id }) => id);
    assert.deepEqual(ids, ["worker-1"], "a Rust server that closes was sent something wrong");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker.kill();
    this.server.kill();
    this.backend.stop();
  }
}

/** A server that is played by hand, and our worker at it, registered. */
export async function workerByHand({ answers, flags = [] }: StageOptions) {
  const backend = await BackendProbe.start(answers);
  const probe = await RelayProbe.start();
  const starts = WorkerProgram.start(probe.url, backend.url, ["--models=m", ...flags], ENVIRONMENT);
  const socket = await probe.worker();
  let binaries = 0;
  socket.handlers.binary = () => {
    binaries++;
  };
  const register = await socket.next();
  const early = await socket.unread();
  socket.send({ type: "register_ack", worker_id: "worker-1", models: ["m"] });
  const worker = await starts;
  return {
    worker,
    backend,
    probe,
    socket,
    register,
    /** Sent before the acknowledgement. */
    early,
    binaries: () => binaries,
    request: (id: string, more: object = {}) => socket.send({ ...REQUEST, request_id: id, ...more }),
    async [Symbol.asyncDispose]() {
      await worker.kill();
      probe.stop();
      backend.stop();
    },
  };
}

const REQUEST = {
  type: "request",
  model: "m",
  endpoint_path: "/v1/chat/completions",
  is_streaming: false,
  body: '{"model":"m"}',
  headers: { "content-type": "application/json" },
};
