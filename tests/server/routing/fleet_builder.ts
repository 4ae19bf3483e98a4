import type { FleetSnapshot, RouteRequest, WorkerSnapshot } from "../../../server/routing/types.ts";
import { LiveWorkerIndex } from "../../../server/routing/worker_index.ts";

/** Like a `WorkerSnapshot`, with lists for sets. */
export type WorkerFacts = Partial<Omit<WorkerSnapshot, "models" | "capabilities">> & {
  models?: readonly string[];
  capabilities?: readonly ("method" | "binary" | "upgrade")[];
};
export type RequestFacts = Partial<Omit<RouteRequest, "needs" | "excluded">> & {
  needs?: readonly ("method" | "binary" | "upgrade")[];
  excluded?: readonly string[];
};

/** A worker with everything as plain as can be: serves `m` on every path, one slot, idle. */
export function worker(facts: WorkerFacts = {}, joinedAt = 1): WorkerSnapshot {
  return {
    id: `worker-${joinedAt}`,
    name: `box-${joinedAt}`,
    provider: "local",
    endpointPrefixes: [],
    maxConcurrent: 1,
    inFlight: 0,
    reportedLoad: 0,
    connected: true,
    draining: false,
    healthy: true,
    labels: {},
    linkForm: "framed",
    joinedAt,
    lastTurn: 0,
    ...facts,
    models: new Set(facts.models ?? ["m"]),
    capabilities: new Set(facts.capabilities ?? []),
  };
}

/** Workers named `worker-1`, `worker-2`, … in this order. */
export function fleetOf(present: readonly WorkerFacts[], absent: readonly WorkerFacts[] = []): FleetSnapshot {
  const snapshot = {
    present: new LiveWorkerIndex(),
    absent: new LiveWorkerIndex(),
    turn: 0,
    measured: { of: () => undefined },
    affinity: { sticky: () => undefined, keeper: () => undefined },
  };
  for (const [at, facts] of present.entries()) snapshot.present.add(worker(facts, at + 1));
  for (const facts of absent) snapshot.absent.add(worker({ ...facts, id: "", connected: false }));
  return snapshot;
}

/** A POST of text for `m`. */
export function request(facts: RequestFacts = {}): RouteRequest {
  return {
    method: "POST",
    path: "/v1/chat/completions",
    model: "m",
    streaming: false,
    ...facts,
    needs: new Set(facts.needs ?? []),
    excluded: new Set(facts.excluded ?? []),
  };
}
