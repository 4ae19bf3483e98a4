import type { Clock } from "../../../shared/clock.ts";
import { isEligible, serves, WorkerChoice } from "./worker_choice.ts";

/**
 * The queues and the choice of a worker as ModelRelay's server 0.2.7 makes them, its mistakes
 * included: a cancelled request keeps its slot, registering dispatches nothing, any worker can complete any
 * request. Plain data, no I/O.
 */

/** Failures of the server, as the texts that its clients read. */
const FAILURE = {
  queueTimeout: "Request timed out waiting for worker\n",
  atCapacity: "Service temporarily at capacity, please retry\n",
  noWorkers: "No workers available to handle request\n",
  attempts: "Request could not be processed after multiple attempts\n",
  draining: "Service temporarily unavailable while workers shut down\n",
  cancelled: "Request was canceled\n",
} as const;

export interface Completion {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** The client's end of a request. */
export interface RequestClient {
  chunk(text: string): void;
  complete(completion: Completion): void;
  fail(text: string): void;
}

export interface ServerRequest {
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  readonly path: string;
  readonly streaming: boolean;
  readonly body: string;
  readonly headers: Record<string, string>;
  readonly arrivedMs: number;
  readonly client: RequestClient;
  requeues: number;
  cancelled: boolean;
  worker?: ServerWorker;
}

export interface ServerWorker {
  readonly id: string;
  readonly provider: string;
  readonly name: string;
  readonly maxConcurrent: number;
  models: string[];
  reportedLoad: number;
  readonly inFlight: Set<string>;
  draining: boolean;
  /** What its socket is to send at its next turn, kind by kind. */
  readonly outbox: { cancels: string[]; requests: ServerRequest[]; shutdown?: string; refresh?: string };
}

const MAX_REQUEUES = 3;

export interface StateOptions {
  clock: Clock;
  provider: string;
  /** 0 = without limit. */
  maxQueueLength: number;
  /** 0 = none. */
  queueTimeoutMs: number;
  firstWorker: number;
  firstRequest: number;
}

export class RustServerState {
  /** In the order in which they registered. */
  readonly workers: ServerWorker[] = [];
  readonly queues = new Map<string, ServerRequest[]>();
  readonly #inFlight = new Map<string, ServerRequest>();
  readonly #choice = new WorkerChoice();
  #nextWorker: number;
  #nextRequest: number;

  constructor(readonly options: StateOptions) {
    this.#nextWorker = options.firstWorker;
    this.#nextRequest = options.firstRequest;
  }

  get queueDepth(): number {
    return [...this.queues.values()].reduce((sum, queue) => sum + queue.length, 0);
  }

  register(worker: Omit<ServerWorker, "id" | "inFlight" | "draining" | "outbox">): ServerWorker {
    const registered: ServerWorker = {
      ...worker,
      id: `worker-${this.#nextWorker++}`,
      inFlight: new Set(),
      draining: false,
      outbox: { cancels: [], requests: [] },
    };
    this.workers.push(registered);
    return registered;
  }

  submit(
    request: Pick<ServerRequest, "model" | "path" | "streaming" | "body" | "headers" | "client">,
  ): ServerRequest {
    const { clock, provider, maxQueueLength } = this.options;
    const submitted: ServerRequest = {
      ...request,
      id: `request-${this.#nextRequest++}`,
      provider,
      arrivedMs: clock.nowMs(),
      requeues: 0,
      cancelled: false,
    };
    const worker = this.#choice.select(this.workers, submitted);
    const queue = this.#queue(provider);
    if (worker) this.#assign(submitted, worker);
    else if (maxQueueLength > 0 && queue.length >= maxQueueLength)
      request.client.fail(this.#queueFull(submitted));
    else queue.push(submitted);
    return submitted;
  }

  /** False: the worker broke the protocol. */
  chunk(worker: ServerWorker, requestId: string, text: string): boolean {
    const request = this.#inFlight.get(requestId);
    if (request?.worker !== worker) return false;
    if (request.streaming && !request.cancelled) request.client.chunk(text);
    return true;
  }

  /** False: the worker broke the protocol, but only after its answer was taken. */
  complete(worker: ServerWorker, requestId: string, completion: Completion): boolean {
    const request = this.#inFlight.get(requestId);
    if (!request) return true;
    this.#inFlight.delete(requestId);
    if (!request.cancelled) request.client.complete(completion);
    if (request.worker !== worker) return false;
    worker.inFlight.delete(requestId);
    worker.reportedLoad = Math.max(0, worker.reportedLoad - 1);
    this.#dispatchOne(worker);
    return true;
  }

  report(worker: ServerWorker, load: number): void {
    worker.reportedLoad = load;
    while (this.#dispatchOne(worker)) {}
  }

  /** The client left, or its time is up. */
  cancel(request: ServerRequest): void {
    const queue = this.#queue(request.provider);
    const at = queue.indexOf(request);
    if (at >= 0) queue.splice(at, 1);
    if (at >= 0 || request.cancelled || !this.#inFlight.has(request.id)) return;
    request.cancelled = true;
    request.worker!.outbox.cancels.push(request.id);
  }

  disconnect(worker: ServerWorker): void {
    this.workers.splice(this.workers.indexOf(worker), 1);
    const lost = [...worker.inFlight]
      .map((id) => this.#inFlight.get(id))
      .filter((request) => request !== undefined);
    const requeued = lost.filter((request) => this.#takeBack(request));
    this.#queue(worker.provider).unshift(...requeued);
  }

  /** The drain deadline passed. */
  failInFlight(worker: ServerWorker): void {
    for (const id of worker.inFlight) {
      const request = this.#inFlight.get(id);
      this.#inFlight.delete(id);
      request?.client.fail(FAILURE.draining);
    }
    worker.inFlight.clear();
  }

  expireQueued(): void {
    const { clock, queueTimeoutMs } = this.options;
    if (queueTimeoutMs === 0) return;
    for (const [provider, queue] of this.queues) {
      const isOver = (request: ServerRequest) => clock.nowMs() - request.arrivedMs >= queueTimeoutMs;
      for (const request of queue.filter(isOver)) request.client.fail(FAILURE.queueTimeout);
      this.queues.set(
        provider,
        queue.filter((request) => !isOver(request)),
      );
    }
  }

  /** Of the default provider's workers, if they have any; `*` is not a model. */
  catalogue(): string[] {
    const own = this.workers.filter(({ provider }) => provider === this.options.provider);
    const models = (workers: ServerWorker[]) => [
      ...new Set(workers.flatMap((worker) => worker.models).filter((model) => model !== "*")),
    ];
    return models(own).length > 0 ? models(own) : models(this.workers);
  }

  #takeBack(request: ServerRequest): boolean {
    this.#inFlight.delete(request.id);
    delete request.worker;
    if (request.cancelled || request.requeues >= MAX_REQUEUES) {
      request.client.fail(request.cancelled ? FAILURE.cancelled : FAILURE.attempts);
      return false;
    }
    request.requeues++;
    return true;
  }

  #queue(provider: string): ServerRequest[] {
    const queue = this.queues.get(provider) ?? [];
    this.queues.set(provider, queue);
    return queue;
  }

  #queueFull(request: ServerRequest): string {
    const known = this.workers.some((worker) => !worker.draining && serves(worker, request.model));
    return known ? FAILURE.atCapacity : FAILURE.noWorkers;
  }

  /** The oldest arrival among the first fitting request of each queue. */
  #dispatchOne(worker: ServerWorker): boolean {
    const first = [...this.queues.values()]
      .map((queue) => queue.find((request) => isEligible(worker, request.model)))
      .filter((request) => request !== undefined)
      .reduce<ServerRequest | undefined>(
        (oldest, request) => (oldest && oldest.arrivedMs <= request.arrivedMs ? oldest : request),
        undefined,
      );
    if (!first) return false;
    for (const queue of this.queues.values())
      if (queue.includes(first)) queue.splice(queue.indexOf(first), 1);
    this.#assign(first, worker);
    return true;
  }

  #assign(request: ServerRequest, worker: ServerWorker): void {
    request.worker = worker;
    this.#inFlight.set(request.id, request);
    worker.inFlight.add(request.id);
    worker.reportedLoad++;
    worker.outbox.requests.push(request);
  }
}
