import { PrefixIndex } from "./prefix_index.ts";
import type { PrefixMatch, WorkerIndex, WorkerSnapshot } from "./types.ts";

/**
 * Finds the workers that may serve a request, and counts the rest, without looking at each: a decision costs
 * what its candidates cost. What it looks at (models, prefixes, draining, health) may change in `change` only.
 */
export class LiveWorkerIndex implements WorkerIndex {
  readonly workers = new Set<WorkerSnapshot>();
  readonly byModel = new Map<string, Set<WorkerSnapshot>>();
  readonly #byPrefix = new PrefixIndex();
  notDraining = 0;
  available = 0;

  matching(path: string): PrefixMatch {
    return this.#byPrefix.matching(path);
  }

  add(worker: WorkerSnapshot): void {
    this.workers.add(worker);
    this.#enter(worker);
  }

  remove(worker: WorkerSnapshot): void {
    if (this.workers.delete(worker)) this.#leave(worker);
  }

  /** Change a worker that is in the index; it keeps its place in `workers`. */
  change(worker: WorkerSnapshot, apply: () => void): void {
    this.#leave(worker);
    apply();
    this.#enter(worker);
  }

  #enter(worker: WorkerSnapshot): void {
    for (const model of worker.models) {
      const serving = this.byModel.get(model);
      if (serving) serving.add(worker);
      else this.byModel.set(model, new Set([worker]));
    }
    this.#byPrefix.add(worker);
    this.#count(worker, 1);
  }

  #leave(worker: WorkerSnapshot): void {
    for (const model of worker.models) {
      const serving = this.byModel.get(model)!;
      serving.delete(worker);
      if (serving.size === 0) this.byModel.delete(model);
    }
    this.#byPrefix.remove(worker);
    this.#count(worker, -1);
  }

  #count({ draining, healthy }: WorkerSnapshot, by: 1 | -1): void {
    if (draining) return;
    this.notDraining += by;
    if (healthy) this.available += by;
  }
}
