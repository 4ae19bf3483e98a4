import type { WorkerSnapshot } from "./types.ts";

/** What a worker carries: the slots we took, or what it reports when that is more (others use it too). */
export function loadOf(worker: WorkerSnapshot): number {
  return Math.max(worker.inFlight, worker.reportedLoad);
}

export function hasFreeSlot(worker: WorkerSnapshot): boolean {
  return loadOf(worker) < worker.maxConcurrent;
}
