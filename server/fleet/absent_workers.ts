import type { WorkerIndex, WorkerSnapshot } from "../routing/types.ts";
import { LiveWorkerIndex } from "../routing/worker_index.ts";

/** A fleet of thousands may drop at once and come back; flapping workers must not grow without bound. */
const ABSENT_MAX = 4_096;

/** What was served until a moment ago, for a bounded time and in bounded number. */
export class AbsentWorkers {
  readonly #graceMs: number;
  readonly #index = new LiveWorkerIndex();
  /** Oldest first: all stay equally long. */
  readonly #untilMs = new Map<WorkerSnapshot, number>();

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** Remember what a worker served, not its id and state: it would come back under another id, and well. */
  add(worker: WorkerSnapshot, nowMs: number): void {
    if (this.#graceMs === 0) return;
    const gone = { ...worker, id: "", connected: false, draining: false, healthy: true };
    this.#index.add(gone);
    this.#untilMs.set(gone, nowMs + this.#graceMs);
    if (this.#untilMs.size > ABSENT_MAX) this.#forget(this.#untilMs.keys().next().value!);
  }

  /** Those whose time is not up. */
  at(nowMs: number): WorkerIndex {
    for (const [worker, untilMs] of this.#untilMs) {
      if (untilMs > nowMs) break;
      this.#forget(worker);
    }
    return this.#index;
  }

  #forget(worker: WorkerSnapshot): void {
    this.#untilMs.delete(worker);
    this.#index.remove(worker);
  }
}
