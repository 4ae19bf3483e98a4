import type { ServerRequest, ServerWorker } from "./rust_server_state.ts";

/** Which worker ModelRelay's server gives a request. */
export class WorkerChoice {
  /** Per provider and model, where in the list the last choice was. */
  readonly #cursors = new Map<string, number>();

  /** Among the workers of the request's provider, and only if none of them can, among all. */
  select(workers: ServerWorker[], { provider, model }: ServerRequest): ServerWorker | undefined {
    const own = workers.filter((worker) => worker.provider === provider);
    return this.#least(own, `${provider}/${model}`, model) ?? this.#least(workers, `_any/${model}`, model);
  }

  /** The lowest load, not relative to what a worker can take; among equals the next after the last chosen. */
  #least(workers: ServerWorker[], cursor: string, model: string): ServerWorker | undefined {
    const loads = workers.map((worker) => (isEligible(worker, model) ? loadOf(worker) : Infinity));
    const least = Math.min(...loads);
    if (least === Infinity) return undefined;
    const last = this.#cursors.get(cursor) ?? -1;
    const next = loads.findIndex((load, index) => load === least && index > last);
    const chosen = next >= 0 ? next : loads.indexOf(least);
    this.#cursors.set(cursor, chosen);
    return workers[chosen];
  }
}

export function serves(worker: ServerWorker, model: string): boolean {
  return worker.models.includes(model) || worker.models.includes("*");
}

export function isEligible(worker: ServerWorker, model: string): boolean {
  return serves(worker, model) && !worker.draining && loadOf(worker) < worker.maxConcurrent;
}

function loadOf(worker: ServerWorker): number {
  return Math.max(worker.reportedLoad, worker.inFlight.size);
}
