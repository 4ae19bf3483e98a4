import { hasFreeSlot, loadOf } from "./load.ts";
import type { Candidate, OrderName, RouteRequest, WorkerSnapshot } from "./types.ts";

/** One thing by which candidates are put in order. Negative: `a` goes before `b`. */
interface Order {
  readonly name: OrderName;
  compare(a: WorkerSnapshot, b: WorkerSnapshot, request: RouteRequest): number;
}

/** The first that tells two candidates apart decides. The last tells any two apart. */
const ORDERS: readonly Order[] = [
  { name: "free_slot", compare: (a, b) => Number(hasFreeSlot(b)) - Number(hasFreeSlot(a)) },
  {
    name: "exact_model",
    compare: (a, b, request) => Number(isExact(b, request)) - Number(isExact(a, request)),
  },
  // a.load / a.capacity against b.load / b.capacity, multiplied out: equal loads must come out equal.
  { name: "load", compare: (a, b) => loadOf(a) * b.maxConcurrent - loadOf(b) * a.maxConcurrent },
  // Whoever has waited longest, rather than a cursor: it needs no memory per model, workers that come and go do
  // not shift it, and two models in alternation do not each see the same half of the turns.
  { name: "rotation", compare: (a, b) => a.lastTurn - b.lastTurn || a.joinedAt - b.joinedAt },
];

export function compareWorkers(a: WorkerSnapshot, b: WorkerSnapshot, request: RouteRequest): number {
  for (const order of ORDERS) {
    const difference = order.compare(a, b, request);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * Put a worker in its place among the best, which are in order, and drop the last when there are more than
 * `BEST_MAX`. For most workers of a large fleet that is one comparison.
 */
export function keepBest(best: WorkerSnapshot[], worker: WorkerSnapshot, request: RouteRequest): void {
  let at = best.length;
  while (at > 0 && compareWorkers(worker, best[at - 1]!, request) < 0) at--;
  if (at === BEST_MAX) return;
  best.splice(at, 0, worker);
  if (best.length > BEST_MAX) best.pop();
}

/** A request is sent at most four times: once, and three re-sends. */
export const BEST_MAX = 4;

/** Workers that are in order, with what put each behind the one before it. */
export function toCandidates(ranked: readonly WorkerSnapshot[], request: RouteRequest): Candidate[] {
  return ranked.map((worker, at) => ({
    worker,
    model: request.model,
    exact: isExact(worker, request),
    free: hasFreeSlot(worker),
    behindBy: at === 0 ? undefined : whatTells(ranked[at - 1]!, worker, request),
  }));
}

function whatTells(a: WorkerSnapshot, b: WorkerSnapshot, request: RouteRequest): OrderName | undefined {
  return ORDERS.find((order) => order.compare(a, b, request) !== 0)?.name;
}

function isExact(worker: WorkerSnapshot, { model }: RouteRequest): boolean {
  return model === undefined || worker.models.has(model);
}
