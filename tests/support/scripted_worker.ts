import { Buffer } from "node:buffer";
import type { HeaderPairs } from "../../shared/http1/types.ts";
import type { LinkRequestHead, ResetCode } from "../../shared/link/events.ts";
import { FramedConnection } from "../../shared/link/framed.ts";
import { type ExchangeHandlers, Link, type LinkExchange } from "../../shared/link/link.ts";
import type { ControlMessage, MessageNamed } from "../../shared/link/messages.ts";
import { PlainWorkerConnection } from "../../shared/link/plain_worker.ts";
import { LINK_FORM, type LinkForm } from "./link_form.ts";
import { OURS, WorkerSocket } from "./scripted_worker_socket.ts";
import { until } from "./until.ts";

export interface ScriptedOptions {
  /** Default: that of the run. */
  form?: LinkForm;
  secret?: string;
  /** Behind `/v1/worker/connect`. */
  query?: string;
  /** Over what is registered without it: one slot, model `m`. */
  register?: Record<string, unknown>;
  /** Called for each request, as `onRequest`. Without it the test takes them: `next`. */
  serve?: (request: ScriptedRequest) => unknown;
}

/** A worker that registers and then does what the test says, in either form of the link. */
export class ScriptedWorker implements AsyncDisposable {
  readonly requests: ScriptedRequest[] = [];
  readonly controls: ControlMessage[] = [];
  readonly link: Link;
  /** Of the plain form, for answers that are written by hand. */
  lastRequestId = "";
  onRequest: ((request: ScriptedRequest) => unknown) | undefined;
  #taken = 0;

  private constructor(
    readonly socket: WorkerSocket,
    readonly ack: MessageNamed<"register_ack">,
    options: ScriptedOptions,
  ) {
    const { features = [] } = ack;
    const { form = LINK_FORM } = options;
    this.onRequest = options.serve;
    this.link = new Link({
      socket: socket.socket,
      connection: (emit) =>
        form === "plain"
          ? new PlainWorkerConnection({ emit, features })
          : new FramedConnection({ role: "worker", emit }),
      request: (exchange, head) => this.#request(new ScriptedRequest(exchange, head)),
      control: (message) => this.controls.push(message),
      failed: (error) => {
        throw error;
      },
    });
  }

  static async connect(relayUrl: string, options: ScriptedOptions = {}): Promise<ScriptedWorker> {
    const { secret, query } = options;
    const socket = await WorkerSocket.open(relayUrl, {
      headers: { ...OURS, ...(secret !== undefined && { "x-worker-secret": secret }) },
      ...(query !== undefined && { query }),
    });
    socket.sendJson(registerMessage(options));
    await until(() => socket.messages.length > 0 || socket.end !== undefined, "the relay answers register");
    if (socket.end) throw new Error(`The relay refused register: ${JSON.stringify(socket.end)}`);
    const ack = JSON.parse(String(socket.messages.shift())) as MessageNamed<"register_ack">;
    const worker = new ScriptedWorker(socket, ack, options);
    socket.onMessage = (message) => worker.#receive(message);
    for (const message of socket.messages.splice(0)) worker.#receive(message);
    socket.onDrain = () => worker.link.drained();
    socket.onEnd = () => worker.link.lost();
    return worker;
  }

  /** The next request that this was not called for. */
  async next(): Promise<ScriptedRequest> {
    const at = this.#taken++;
    await until(() => this.requests.length > at, `request ${at + 1} at the worker`);
    return this.requests[at]!;
  }

  /** Die: the link breaks without a word. */
  async die(): Promise<void> {
    this.socket.socket.terminate();
    await this.socket.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.socket.end) await this.die();
  }

  #receive(message: string | Uint8Array): void {
    const id = typeof message === "string" ? /"request_id":"([^"]+)"/.exec(message)?.[1] : undefined;
    this.lastRequestId = id ?? this.lastRequestId;
    this.link.receive(message);
  }

  #request(request: ScriptedRequest): ExchangeHandlers {
    this.requests.push(request);
    queueMicrotask(() => this.onRequest?.(request));
    return request;
  }
}

/** One request, as a worker has it. */
export class ScriptedRequest implements ExchangeHandlers {
  whole: boolean;
  /** Why the relay gave it up. */
  wasReset: ResetCode | undefined;
  readonly #chunks: Buffer[] = [];

  constructor(
    readonly exchange: LinkExchange,
    readonly head: LinkRequestHead,
  ) {
    this.whole = !head.hasBody;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get body(): string {
    return this.bytes.toString();
  }

  async received(): Promise<this> {
    await until(() => this.whole, `the body of ${this.head.method} ${this.head.target} at the worker`);
    return this;
  }

  async isReset(withinMs = 1000): Promise<ResetCode> {
    await until(() => this.wasReset !== undefined, "the relay gives the request up", withinMs);
    return this.wasReset!;
  }

  start(): void {
    this.exchange.started();
  }

  respond(status: number, headers: HeaderPairs = []): void {
    this.exchange.respond({ status, headers });
  }

  /** A whole answer. */
  answer(status: number, body = "", headers: HeaderPairs = []): void {
    this.respond(status, headers);
    if (body !== "") this.exchange.write(Buffer.from(body));
    this.exchange.end();
  }

  data(bytes: Uint8Array): void {
    this.#chunks.push(Buffer.from(bytes));
    this.exchange.consumed(bytes.length);
  }

  end(): void {
    this.whole = true;
  }

  reset(code: ResetCode): void {
    this.wasReset = code;
  }
}

function registerMessage({ form = LINK_FORM, register }: ScriptedOptions): object {
  return {
    type: "register",
    worker_name: "scripted",
    models: ["m"],
    max_concurrent: 1,
    protocol_version: "2026-04-bridge-v1",
    current_load: 0,
    features: form === "plain" ? ["method", "head"] : ["framed.1", "method", "head"],
    ...register,
  };
}
