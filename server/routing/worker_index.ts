import type { PrefixGroup, WorkerIndex, WorkerSnapshot } from "./types.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface Group extends Mutable<PrefixGroup> {
  readonly workers: Set<WorkerSnapshot>;
}

/**
 * Finds the workers that may serve a request, and counts the rest, without looking at each: a decision costs
 * what its candidates cost. What it looks at (models, prefixes, draining, health) may change in `change` only.
 */
export class LiveWorkerIndex implements WorkerIndex {
  readonly workers = new Set<WorkerSnapshot>();
  readonly byModel = new Map<string, Set<WorkerSnapshot>>();
  readonly byPrefixes = new Map<string, Group>();
  notDraining = 0;
  available = 0;

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
    this.#group(worker).workers.add(worker);
    this.#count(worker, 1);
  }

  #leave(worker: WorkerSnapshot): void {
    for (const model of worker.models) {
      const serving = this.byModel.get(model)!;
      serving.delete(worker);
      if (serving.size === 0) this.byModel.delete(model);
    }
    this.#count(worker, -1);
    const group = this.#group(worker);
    group.workers.delete(worker);
    if (group.workers.size === 0) this.byPrefixes.delete(keyOf(worker));
  }

  #group(worker: WorkerSnapshot): Group {
    const key = keyOf(worker);
    let group = this.byPrefixes.get(key);
    if (!group) {
      group = { endpointPrefixes: worker.endpointPrefixes, workers: new Set(), available: 0 };
      this.byPrefixes.set(key, group);
    }
    return group;
  }

  #count(worker: WorkerSnapshot, by: 1 | -1): void {
    if (worker.draining) return;
    this.notDraining += by;
    if (!worker.healthy) return;
    this.available += by;
    this.#group(worker).available += by;
  }
}

function keyOf(worker: WorkerSnapshot): string {
  return JSON.stringify(worker.endpointPrefixes);
}
